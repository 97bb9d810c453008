DROP TABLE allowance;
DROP TABLE charge;
