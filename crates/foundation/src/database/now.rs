//! The database's own clock as an expression, so that leases never depend on a service's clock (I12).

use std::time::Duration;

use contract::sql::UtcTimestamp;
use diesel::{
    AppearsOnTable, Expression, QueryResult, SelectableExpression,
    expression::{ValidGrouping, is_aggregate},
    pg::Pg,
    query_builder::{AstPass, QueryFragment, QueryId},
    sqlite::Sqlite,
};

/// The database's clock, moved by an offset.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseNow {
    offset_micros: i64,
}

/// The time now by the database's clock: `clock_timestamp()` on PostgreSQL, on SQLite the time of the
/// machine to the millisecond.
#[must_use]
pub const fn database_now() -> DatabaseNow {
    DatabaseNow { offset_micros: 0 }
}

impl DatabaseNow {
    /// So much later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self { offset_micros: self.offset_micros.saturating_add(micros) }
    }

    /// So much earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self { offset_micros: self.offset_micros.saturating_sub(micros) }
    }
}

impl Expression for DatabaseNow {
    type SqlType = UtcTimestamp;
}

impl QueryId for DatabaseNow {
    type QueryId = ();
    // The offset is part of the text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<T> AppearsOnTable<T> for DatabaseNow {}
impl<T> SelectableExpression<T> for DatabaseNow {}
impl<G> ValidGrouping<G> for DatabaseNow {
    type IsAggregate = is_aggregate::Never;
}

impl QueryFragment<Pg> for DatabaseNow {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("(clock_timestamp() + interval '");
        out.push_sql(&self.offset_micros.to_string());
        out.push_sql(" microseconds')");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for DatabaseNow {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("(CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000 + ");
        out.push_sql(&self.offset_micros.to_string());
        out.push_sql(")");
        Ok(())
    }
}
