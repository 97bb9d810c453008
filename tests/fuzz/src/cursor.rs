//! The cursors that clients hand back: of a conversation's events, and of a list.

use api_service::{
    listing::{PageQuery, PageRequest},
    push::cursor::Start,
};
use contract::{GenerationId, MessageId};
use serde::Deserialize;
use serde_json::json;

use crate::{number, text};

/// The cursor.
///
/// # Panics
/// If a property does not hold.
pub fn cursor(data: &[u8]) {
    let text = text(data);
    of_events(&text);
    let place = (number(data) >> 1) as i64;
    assert_eq!(Start::read(Some(&place.to_string())), Start::After(place));
    assert_eq!(Start::read(Some(&format!("-{place}"))), Start::Impossible);

    of_a_list::<GenerationId>(&text);
    of_a_list::<MessageId>(&text);
    let digits = format!("{:016x}{:016x}", number(data), number(data.get(8..).unwrap_or_default()));
    if let Ok(id) = format!("{}{digits}", GenerationId::PREFIX).parse::<GenerationId>() {
        assert_eq!(after::<GenerationId>(&next(&id)), Some(id));
    }
    let page = query(&json!({ "limit": text })).page::<GenerationId>();
    assert!(page.is_ok_and(|page| (1..=100).contains(&page.limit)) == is_limit(&text), "{text:?}");
}

fn of_events(text: &str) {
    match Start::read(Some(text)) {
        Start::Now => assert!(text.trim().is_empty(), "{text:?}"),
        Start::After(place) => {
            assert!(place >= 0 && text.trim().bytes().all(|b| b.is_ascii_digit()), "{text:?}: {place}");
            assert_eq!(Start::read(Some(&place.to_string())), Start::After(place));
        }
        Start::Impossible => assert!(text.trim().parse::<u32>().is_err() || text.contains('+'), "{text:?}"),
    }
}

/// A list's cursor that is taken is the one that we give for that place.
fn of_a_list<K>(text: &str)
where
    K: std::str::FromStr + std::fmt::Display + Clone,
{
    if let Some(key) = after::<K>(text) {
        assert_eq!(next(&key), text);
    }
}

/// The cursor of the page after an item.
fn next<K: std::fmt::Display + Clone>(key: &K) -> String {
    let page = PageRequest { limit: 1, after: None::<K> };
    page.page_of(vec![key.clone(), key.clone()], K::clone).next_cursor.unwrap_or_default()
}

fn after<K: std::str::FromStr>(cursor: &str) -> Option<K> {
    query(&json!({ "cursor": cursor })).page().ok().and_then(|page| page.after)
}

fn is_limit(text: &str) -> bool {
    text.parse::<u8>().is_ok_and(|limit| (1..=100).contains(&limit))
}

fn query(fields: &serde_json::Value) -> PageQuery {
    PageQuery::deserialize(fields).unwrap_or_else(|error| unreachable!("{error}"))
}
