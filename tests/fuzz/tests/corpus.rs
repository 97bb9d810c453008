//! Every target with every entry of its corpus, with changed entries, and with arbitrary bytes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "corpus/seed.rs"]
mod seed;

use std::{fs, path::PathBuf};

use proptest::{prelude::*, sample::Index, test_runner::Config};
use worker_service::providers::jwt;

/// How many changed entries and how many arbitrary inputs each target gets.
const CASES: u32 = 256;

/// What fails belongs into the corpus, so there is no second place where failures are kept.
fn config() -> Config {
    Config { cases: CASES, failure_persistence: None, ..Config::default() }
}

fn folder(target: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "corpus", target].iter().collect()
}

/// The entries of a target's corpus by their names.
fn entries(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder(target)).unwrap().map(|file| file.unwrap().path());
    let named = |path: PathBuf| (path.display().to_string(), fs::read(&path).unwrap());
    let mut entries: Vec<_> = files.map(named).collect();
    entries.sort();
    entries
}

/// A change to an entry, somewhere in it.
#[derive(Clone, Debug)]
enum Edit {
    Flip(Index, u8),
    Put(Index, Vec<u8>),
    Remove(Index, usize),
    Repeat(Index, usize),
    Cut(Index),
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..8),
        proptest::sample::select(vec![
            &b"0"[..],
            b"-1",
            b"99999999999999999999",
            b"null",
            b"\0",
            b".",
            b"[",
            b"{"
        ])
        .prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        3 => (any::<Index>(), 1_u8..).prop_map(|(at, bits)| Edit::Flip(at, bits)),
        2 => (any::<Index>(), bytes).prop_map(|(at, bytes)| Edit::Put(at, bytes)),
        2 => (any::<Index>(), 1_usize..32).prop_map(|(at, length)| Edit::Remove(at, length)),
        1 => (any::<Index>(), 1_usize..64).prop_map(|(at, length)| Edit::Repeat(at, length)),
        1 => any::<Index>().prop_map(Edit::Cut),
    ]
}

fn edited(mut entry: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let end = |at: usize, length: usize, entry: &[u8]| (at + length).min(entry.len());
        let place = |at: &Index, entry: &[u8]| at.index(entry.len() + 1);
        match edit {
            Edit::Flip(at, bits) => {
                let at = place(at, &entry);
                if let Some(byte) = entry.get_mut(at) {
                    *byte ^= bits;
                }
            }
            Edit::Put(at, bytes) => {
                let at = place(at, &entry);
                entry.splice(at..at, bytes.iter().copied());
            }
            Edit::Remove(at, length) => {
                let at = place(at, &entry);
                entry.drain(at..end(at, *length, &entry));
            }
            Edit::Repeat(at, length) => {
                let at = place(at, &entry);
                let part = entry[at..end(at, *length, &entry)].to_vec();
                entry.splice(at..at, part);
            }
            Edit::Cut(at) => {
                let at = place(at, &entry);
                entry.truncate(at);
            }
        }
    }
    entry
}

macro_rules! targets {
    ($($target:ident),*) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),*];

        $(mod $target {
            use super::*;

            #[test]
            fn holds_for_the_corpus() {
                let entries = entries(stringify!($target));
                assert!(entries.len() >= 3, "a corpus of {} entries", entries.len());
                for (name, entry) in entries {
                    println!("{name}");
                    fuzz::$target(&entry);
                }
            }

            proptest! {
                #![proptest_config(config())]

                #[test]
                fn holds_for_changed_entries(
                    entry in proptest::sample::select(entries(stringify!($target))),
                    edits in proptest::collection::vec(any_edit(), 1..6),
                ) {
                    fuzz::$target(&edited(entry.1, &edits));
                }

                #[test]
                fn holds_for_arbitrary_bytes(data in proptest::collection::vec(any::<u8>(), 0..400)) {
                    fuzz::$target(&data);
                }
            }
        })*
    };
}

targets!(signature, webhook_json, hint_json, provider_json, mp4_probe, range, cursor, url_guard);

/// A target has its program for libFuzzer, and a corpus its target.
#[test]
fn every_target_is_whole() {
    let names = |folder: &str| {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), folder].iter().collect();
        let mut names: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let mut targets = TARGETS.to_vec();
    targets.sort_unstable();
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("fuzz_targets"), targets);
}

/// The corpus is worth its name only if good files are among it: that which passes all is a video.
#[test]
fn the_corpus_has_what_is_accepted() {
    let accepted: Vec<_> = entries("mp4_probe")
        .into_iter()
        .filter(|(_, file)| seed::is_video(file))
        .map(|(name, _)| name.rsplit('/').next().unwrap().to_owned())
        .collect();
    assert!(accepted.contains(&"whole.mp4".to_owned()), "{accepted:?}");
    let known = |(name, entry): (String, Vec<u8>)| {
        matches!(contract::events::parse(&entry), Ok(contract::events::Received::Known(_))).then_some(name)
    };
    assert!(entries("webhook_json").into_iter().filter_map(known).count() >= 5);
}

/// Tokens that were signed are taken, or it would say nothing that others are not; and with any bit of them changed they
/// are not taken, wherever it is.
#[test]
fn tokens_are_taken_as_they_were_signed() {
    let taken: Vec<_> = entries("hint_json").into_iter().filter(|(_, entry)| fuzz::is_taken(entry)).collect();
    let names: Vec<_> = taken.iter().map(|(path, _)| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["signed_es256.txt", "signed_rs256.txt"]);
    for (name, entry) in &taken {
        for (at, bit) in (0..entry.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = entry.clone();
            changed[at] ^= 1 << bit;
            assert!(!fuzz::is_taken(&changed), "{name}, bit {bit} of byte {at}");
        }
    }
}

/// A key set that comes along vouches for its tokens, so that what holds of those is looked at as well.
#[test]
fn a_key_set_takes_the_token_beside_it() {
    let entry = fs::read_to_string(folder("hint_json").join("key_set_and_token.txt")).unwrap();
    let (set, token) = entry.split_once('\n').unwrap();
    let keys = jwt::keys(set.as_bytes()).unwrap();
    let token = jwt::read(token).unwrap();
    let mut called = keys.iter().filter(|key| key.is_called(token.key_id.as_deref()));
    assert!(called.any(|key| token.verify(key, &jwt::Expected::default(), 1_800_000_000).is_ok()));
}

/// Writes the files of the corpus of `mp4_probe` that are made and not found.
#[test]
#[ignore = "writes into the source tree; run it when a seed is to be changed"]
fn write_the_seeds_of_mp4_probe() {
    for (name, file) in seed::files() {
        fs::write(folder("mp4_probe").join(name), file).unwrap();
    }
}
