//! Lists: pages of at most a hundred items, each with a cursor to the next.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::{AppError, AppResult};

/// Items on a page if nothing is said.
const DEFAULT_LIMIT: i64 = 20;
/// Items on a page at most.
const MOST: i64 = 100;

/// The query of every list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Items on the page: 1–100, 20 if nothing is said.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 20)]
    limit: Option<String>,
    /// Where the page begins: `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Which page is wanted: at most `limit` items after the one that `after` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// Items at most, 1–100.
    pub limit: i64,
    /// The key of the last item of the page before.
    pub after: Option<K>,
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// What `cursor` must be for the next page; `null` on the last one.
    pub next_cursor: Option<String>,
}

impl PageQuery {
    /// Reads the query, for a list whose order is by `K`.
    pub fn page<K: std::str::FromStr>(&self) -> AppResult<PageRequest<K>> {
        let limit = match self.limit.as_deref() {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MOST).contains(limit))
                .ok_or_else(|| AppError::field("limit", "must be a whole number from 1 to 100"))?,
        };
        let after = match self.cursor.as_deref() {
            None => None,
            Some(text) => {
                let malformed = || AppError::field("cursor", "must be the nextCursor of an earlier page");
                let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
                let key = String::from_utf8(bytes).map_err(|_| malformed())?;
                Some(key.parse().map_err(|_| malformed())?)
            }
        };
        Ok(PageRequest { limit, after })
    }
}

impl<K> PageRequest<K> {
    /// How many rows to read: one more than the page holds tells whether there is another page.
    #[must_use]
    pub const fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// Makes the page of what was read with the limit [`rows`](Self::rows); `key` is an item's place in the
    /// list's order.
    pub fn page_of<T, I: fmt::Display>(&self, mut rows: Vec<T>, key: impl Fn(&T) -> I) -> Page<T> {
        let full = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > full;
        rows.truncate(full);
        let last = rows.last().filter(|_| more);
        let next_cursor = last.map(|item| URL_SAFE_NO_PAD.encode(key(item).to_string()));
        Page { items: rows, next_cursor }
    }
}

impl<T> Page<T> {
    /// The same page with its items in another form.
    pub fn map<U>(self, form: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(form).collect(), next_cursor: self.next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(limit: Option<&str>, cursor: Option<&str>) -> PageQuery {
        PageQuery { limit: limit.map(str::to_owned), cursor: cursor.map(str::to_owned) }
    }

    #[test]
    fn limits_have_bounds() {
        for (text, limit) in [(None, 20), (Some("1"), 1), (Some("100"), 100)] {
            assert_eq!(query(text, None).page::<i64>().unwrap(), PageRequest { limit, after: None });
        }
        for text in ["0", "101", "-1", "ten"] {
            let error = query(Some(text), None).page::<i64>().unwrap_err();
            assert_eq!(error.problem("").errors[0].field, "limit", "{text}");
        }
    }

    #[test]
    fn a_cursor_leads_on_from_where_the_page_ended() {
        let first = query(Some("2"), None).page::<i64>().unwrap();
        let page = first.page_of(vec![7, 5, 4], |item| *item);
        assert_eq!(page.items, [7, 5]);
        let second = query(Some("2"), page.next_cursor.as_deref()).page::<i64>().unwrap();
        assert_eq!(second.after, Some(5));
        let last = second.page_of(vec![4, 2], |item| *item);
        assert_eq!((last.items, last.next_cursor), (vec![4, 2], None));
    }

    #[test]
    fn foreign_cursors_are_refused() {
        for text in ["5", "!", "Zm9v"] {
            let error = query(None, Some(text)).page::<i64>().unwrap_err();
            assert_eq!(error.problem("").errors[0].field, "cursor", "{text}");
        }
    }
}
