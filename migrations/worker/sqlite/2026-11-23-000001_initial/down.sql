DROP TABLE worker;
DROP TABLE seen_request;
DROP TABLE webhook_endpoint;
DROP TABLE webhook_try;
DROP TABLE webhook;
DROP TABLE object;
DROP TABLE attempt;
DROP TABLE job;
