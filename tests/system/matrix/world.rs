//! All that a row has left behind, or has come to so far: both databases, the bucket, the ledger, the
//! temporary files and the logs.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::Value;

use crate::harness::{System, log::LogFile, system::BUCKET};

/// The tables of api-service that are looked at.
const API: &[&str] = &[
    "generation",
    "generation_job",
    "message",
    "event",
    "command",
    "inbox",
    "idempotency_key",
    "charge",
    "upload",
];
/// Those of worker-service.
const WORKER: &[&str] = &["job", "attempt", "object", "webhook"];

/// What is left.
pub(crate) struct World {
    tables: BTreeMap<&'static str, Vec<Value>>,
    /// What the provider accepted.
    pub(crate) ledger: Vec<Value>,
    /// The bucket's objects by key, and where each lies.
    pub(crate) objects: BTreeMap<String, PathBuf>,
    /// Parts of uploads that were never finished, and files on the way from the provider.
    pub(crate) litter: Vec<String>,
    /// Every line of both services.
    pub(crate) logs: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

impl World {
    /// One in which nothing but this was ever written down.
    pub(crate) fn of(rows: impl IntoIterator<Item = (&'static str, Vec<Value>)>, ledger: Vec<Value>) -> Self {
        let mut tables: BTreeMap<_, _> = API.iter().chain(WORKER).map(|name| (*name, Vec::new())).collect();
        tables.extend(rows);
        Self { tables, ledger, objects: BTreeMap::new(), litter: Vec::new(), logs: String::new() }
    }

    /// Reads it. The services may be running still.
    pub(crate) async fn read(system: &System, ledger: Vec<Value>) -> Self {
        let mut tables = BTreeMap::new();
        for (schema, names) in [("api", API), ("worker", WORKER)] {
            for name in names {
                let rows = match &system.database {
                    Some(database) => postgres_rows(&database.url(), schema, name).await,
                    None => sqlite_rows(&system.folder.path().join(format!("{schema}.sqlite")), name),
                };
                tables.insert(*name, rows);
            }
        }
        let mut objects = BTreeMap::new();
        let mut litter = Vec::new();
        let root = system.folder.path().join("objects");
        for file in files(&root) {
            let path = file.strip_prefix(&root).unwrap().display().to_string();
            let key = path.strip_prefix(BUCKET).map(|key| key.trim_start_matches('/'));
            match key {
                Some(key) => drop(objects.insert(key.to_owned(), file)),
                // The storage's own notes of an object: what it is called and when it came.
                None if path.starts_with(".bucket-") => {}
                None => litter.push(path),
            }
        }
        // A worker that is gone for good took its disk along.
        for name in system.replicas("worker") {
            let left = files(&system.folder.path().join(format!("{name}-tmp")));
            // A worker that runs holds the lock of its folder.
            let left = left.into_iter().filter(|path| path.file_name().is_some_and(|name| name != "lock"));
            litter.extend(left.map(|path| path.display().to_string()));
        }
        let logs = system.logs().iter().map(LogFile::text).collect();
        Self { tables, ledger, objects, litter, logs }
    }

    /// The rows of a table.
    pub(crate) fn table(&self, name: &str) -> &[Value] {
        &self.tables[name]
    }

    /// Those in which a column has this value.
    pub(crate) fn rows<'a>(
        &'a self,
        table: &str,
        column: &'a str,
        value: &'a Value,
    ) -> impl Iterator<Item = &'a Value> {
        self.table(table).iter().filter(move |row| row[column] == *value)
    }
}

async fn postgres_rows(url: &str, schema: &str, table: &str) -> Vec<Value> {
    let mut connection = AsyncPgConnection::establish(url).await.unwrap();
    let query = format!("SELECT to_jsonb(t)::text AS row FROM {schema}.{table} t");
    let rows: Vec<Row> = diesel_async::RunQueryDsl::load(sql_query(query), &mut connection).await.unwrap();
    rows.iter().map(|row| serde_json::from_str(&row.row).unwrap()).collect()
}

fn sqlite_rows(file: &Path, table: &str) -> Vec<Value> {
    let mut connection = SqliteConnection::establish(&file.display().to_string()).unwrap();
    // A service may just be writing its log back.
    sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection).unwrap();
    let columns = sql_query(format!("SELECT name || ' ' || type AS row FROM pragma_table_info('{table}')"));
    let columns: Vec<Row> = columns.load(&mut connection).unwrap();
    let pairs: Vec<_> = columns
        .iter()
        .map(|column| {
            let (name, kind) = column.row.split_once(' ').unwrap();
            // Structures are stored as JSONB.
            let value = if kind == "BLOB" { format!("json({name})") } else { format!("\"{name}\"") };
            format!("'{name}', {value}")
        })
        .collect();
    let query = format!("SELECT json_object({}) AS row FROM \"{table}\"", pairs.join(", "));
    let rows: Vec<Row> = sql_query(query).load(&mut connection).unwrap();
    rows.iter().map(|row| serde_json::from_str(&row.row).unwrap()).collect()
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found
}
