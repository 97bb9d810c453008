//! A production structure as a part of the model's state: shared, and told apart by a fingerprint of all of it.

use std::{
    fmt::{self, Debug, Write as _},
    hash::{DefaultHasher, Hash, Hasher},
    ops::Deref,
    sync::Arc,
};

/// A value of a production type. Its fingerprint is taken of its whole `Debug` form, so that a field that is
/// added later counts by itself; ids and times are the same everywhere in the model (see [`crate::fixture`]).
pub struct Row<T> {
    print: u64,
    value: Arc<T>,
}

struct Fingerprint(DefaultHasher);

impl fmt::Write for Fingerprint {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

impl<T: Debug> Row<T> {
    pub fn new(value: T) -> Self {
        let mut fingerprint = Fingerprint(DefaultHasher::new());
        write!(fingerprint, "{value:?}").expect("a fingerprint takes every text");
        Self { print: fingerprint.0.finish(), value: Arc::new(value) }
    }
}

impl<T> Row<T> {
    /// Tells values apart, and orders them somehow.
    pub const fn print(&self) -> u64 {
        self.print
    }
}

impl<T> Clone for Row<T> {
    fn clone(&self) -> Self {
        Self { print: self.print, value: Arc::clone(&self.value) }
    }
}

impl<T> Deref for Row<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> PartialEq for Row<T> {
    fn eq(&self, other: &Self) -> bool {
        self.print == other.print
    }
}

impl<T> Hash for Row<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.print);
    }
}

impl<T: Debug> Debug for Row<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
