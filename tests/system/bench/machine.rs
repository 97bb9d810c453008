//! What the machine is, what the processes take of it, and how many commits it can make. It reads `/proc`: for Linux.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _,
    sql_query, sql_types::Text,
};
use diesel_async::{AsyncConnection as _, AsyncPgConnection, SimpleAsyncConnection as _};
use serde_json::{Value, json};

use crate::harness::System;

/// The kernel counts processor time in hundredths of a second, as far as programs see it.
const TICK_MS: f64 = 10.0;
/// How long commits are counted.
const COUNTED: Duration = Duration::from_secs(2);
/// How long the machine is watched before a round.
const WATCHED: Duration = Duration::from_secs(1);
/// A server of PostgreSQL's default settings has room for so many, besides the services' own pools.
const MOST_WRITERS: usize = 64;
/// A row as small as there is a use for.
const ONE_ROW: &str = "INSERT INTO bench_commit (body) VALUES ('what one step has to say')";

/// The name under which the whole machine stands in [`used`].
const MACHINE: &str = "the whole machine";

/// Processor time that each process has used so far, in milliseconds, and the whole machine.
pub(crate) fn used(system: &System) -> BTreeMap<&'static str, f64> {
    let of = |pid: &str| process_time(&read(&format!("/proc/{pid}/stat"))).expect("Linux's /proc");
    let processes = system.processes.iter().map(|(name, process)| (*name, of(&process.pid().to_string())));
    let mut used: BTreeMap<_, _> = processes.collect();
    used.insert("this bench", of("self"));
    used.insert(MACHINE, machine_time(&read("/proc/stat")).expect("Linux's /proc"));
    used
}

/// MiB that a process has in memory; of what it shares with others, its part (PSS).
pub(crate) fn memory(pid: u32) -> f64 {
    kib(&read(&format!("/proc/{pid}/smaps_rollup")), "Pss").expect("Linux's /proc") / 1_024.0
}

/// How busy the machine is while nothing is asked of the system, in per cent: what others do on it.
pub(crate) async fn busy(system: &System) -> f64 {
    let (begun, before) = (Instant::now(), used(system)[MACHINE]);
    tokio::time::sleep(WATCHED).await;
    let used = used(system)[MACHINE] - before;
    100.0 * used / (begun.elapsed().as_secs_f64() * 1_000.0 * cores() as f64)
}

/// What figures depend on. The databases' files lie in the folder.
pub(crate) fn describe(folder: &Path) -> Value {
    let memory = kib(&read("/proc/meminfo"), "MemTotal").map(|kib| (kib / 1_024.0).round());
    json!({
        "cores": cores(),
        "processor": field(&read("/proc/cpuinfo"), "model name"),
        "memoryMiB": memory,
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "fileSystem": file_system(&read("/proc/mounts"), folder),
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Milliseconds of `/proc/PID/stat`: in programs and in the kernel.
fn process_time(stat: &str) -> Option<f64> {
    // The second field is a name in parentheses, which may hold anything, parentheses too.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || -> Option<f64> { fields.next()?.parse().ok() };
    Some((ticks()? + ticks()?) * TICK_MS)
}

/// Milliseconds of `/proc/stat` that any core was busy.
fn machine_time(stat: &str) -> Option<f64> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    // The fourth and the fifth are idleness; guests, after the eighth, are among the programs already.
    let busy = fields.take(8).enumerate().filter(|(index, _)| !matches!(index, 3 | 4));
    let ticks: Option<f64> = busy.map(|(_, ticks)| ticks.parse::<f64>().ok()).sum();
    Some(ticks? * TICK_MS)
}

/// The value in a line `name: value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

fn kib(text: &str, name: &str) -> Option<f64> {
    field(text, name)?.strip_suffix("kB")?.trim().parse().ok()
}

/// The kind of file system that a path lies on, by the text of `/proc/mounts`: commits cost nothing on a tmpfs.
fn file_system<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    // Of those at the same place, the last lies on top.
    mounts
        .filter(|(place, _)| path.starts_with(place))
        .max_by_key(|(place, _)| place.len())
        .map(|(_, kind)| kind)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    said: String,
}

/// The database's version, and what it promises of a commit.
pub(crate) async fn database(system: &System) -> String {
    let row: Row = match &system.database {
        None => {
            let mut connection = SqliteConnection::establish(":memory:").unwrap();
            let query = "SELECT 'SQLite ' || sqlite_version() || ', WAL, synchronous FULL' AS said";
            sql_query(query).get_result(&mut connection).unwrap()
        }
        Some(database) => {
            let mut connection = AsyncPgConnection::establish(&database.url()).await.unwrap();
            let query = sql_query(
                "SELECT 'PostgreSQL ' || current_setting('server_version') \
                 || ', fsync ' || current_setting('fsync') \
                 || ', synchronous_commit ' || current_setting('synchronous_commit') AS said",
            );
            diesel_async::RunQueryDsl::get_result(query, &mut connection).await.unwrap()
        }
    };
    row.said
}

/// How many rows a second the system's database commits one by one, each synced before the next of its writer. On
/// SQLite there is one writer, however many would like to write.
pub(crate) async fn commits(system: &System, writers: usize) -> f64 {
    match &system.database {
        None => sqlite_commits(&system.folder.path().join("commits.sqlite")),
        Some(database) => postgres_commits(&database.url(), writers.min(MOST_WRITERS)).await,
    }
}

/// Blocks, and may: nothing else goes on meanwhile.
fn sqlite_commits(file: &Path) -> f64 {
    let mut connection = SqliteConnection::establish(&file.display().to_string()).unwrap();
    // As the services open theirs.
    connection.batch_execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL").unwrap();
    connection
        .batch_execute("CREATE TABLE bench_commit (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
        .unwrap();
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < COUNTED {
        connection.batch_execute(ONE_ROW).unwrap();
        count += 1;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

async fn postgres_commits(url: &str, writers: usize) -> f64 {
    let mut connections = Vec::with_capacity(writers);
    for _ in 0..writers {
        connections.push(AsyncPgConnection::establish(url).await.unwrap());
    }
    let table = "CREATE TABLE bench_commit (id BIGSERIAL PRIMARY KEY, body TEXT NOT NULL)";
    connections[0].batch_execute(table).await.unwrap();
    let begun = Instant::now();
    let writing = connections.into_iter().map(|mut connection| async move {
        let mut count = 0_u32;
        while begun.elapsed() < COUNTED {
            connection.batch_execute(ONE_ROW).await.unwrap();
            count += 1;
        }
        count
    });
    let counts = futures_util::future::join_all(writing).await;
    f64::from(counts.iter().sum::<u32>()) / begun.elapsed().as_secs_f64()
}

#[test]
fn processor_time_is_read_whatever_the_process_is_called() {
    let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 22606 0 45 0 250 50 9 9 20 0 9 0 1197";
    assert_eq!(process_time(stat).map(|ms| ms as u64), Some(3_000));
    assert_eq!(process_time("7 (reelay) S 1 7"), None);
    assert!(process_time(&read("/proc/self/stat")).is_some());
}

#[test]
fn idleness_is_no_work() {
    let stat = "cpu  100 20 30 4000 500 6 7 8 90 1\ncpu0 1 2 3 4 5 6 7 8 9 1\n";
    assert_eq!(machine_time(stat).map(|ms| ms as u64), Some(1_710));
    assert_eq!(machine_time("intr 5"), None);
    assert!(machine_time(&read("/proc/stat")).is_some());
}

#[test]
fn memory_is_the_processes_part_of_it() {
    let rollup = "55d0-7ffc ---p 00000000 00:00 0 [rollup]\nRss:   9000 kB\nPss:   2048 kB\nPss_Anon: 7 kB\n";
    assert_eq!(kib(rollup, "Pss").map(|kib| kib as u64), Some(2_048));
    assert_eq!(kib(rollup, "Swap"), None);
    assert_eq!(field("model name\t: A Processor @ 3 GHz", "model name"), Some("A Processor @ 3 GHz"));
    assert!(memory(std::process::id()) > 1.0);
}

#[test]
fn the_innermost_file_system_counts() {
    let mounts =
        "overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n/dev/sda1 /tmp ext4 rw 0 0\nt /tmp tmpfs rw 0 0\n";
    let on = |path: &str| file_system(mounts, Path::new(path));
    assert_eq!(
        [on("/tmp/a/b"), on("/tmpfoo"), on("/home")],
        [Some("tmpfs"), Some("overlay"), Some("overlay")]
    );
}
