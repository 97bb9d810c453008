//! The macros that compile one body of queries for both backends.

/// Runs a read on either backend: `reading!(db, |c| query.load::<Row>(c).await)`.
///
/// Yields `Result<T, database::Error>`, where the body yields a `QueryResult<T>`.
#[macro_export]
macro_rules! reading {
    ($database:expr, |$c:ident| $body:expr) => {
        match $database {
            $crate::database::Database::Postgres(pool) => $crate::__on_pool!(pool, |$c| $body),
            $crate::database::Database::Sqlite { read, .. } => $crate::__on_pool!(read, |$c| $body),
        }
    };
}

/// Runs one writing statement on either backend, like [`reading!`](crate::reading!).
#[macro_export]
macro_rules! writing {
    ($database:expr, |$c:ident| $body:expr) => {
        match $database {
            $crate::database::Database::Postgres(pool) => $crate::__on_pool!(pool, |$c| $body),
            $crate::database::Database::Sqlite { write, .. } => $crate::__on_pool!(write, |$c| $body),
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __on_pool {
    ($pool:expr, |$c:ident| $body:expr) => {
        async {
            let mut guard = $pool.get().await.map_err($crate::database::Error::from)?;
            let $c = &mut *guard;
            let result: ::diesel::QueryResult<_> = $body;
            result.map_err($crate::database::Error::from)
        }
        .await
    };
}

/// Runs a transaction on either backend: `transaction!(db, Place::JobCompleted, Error, |c| { …; Ok(value) })`.
///
/// The place names the commit's two [points](crate::crash) at which a test can have the process die. One that
/// mostly finds nothing to do is given as `Place::JobsClaimed, unless Vec::is_empty`: what comes to nothing passes
/// no point.
/// The body yields `Result<T, Error>`; an error rolls back. `Error` must be made from `database::Error` and
/// from `diesel::result::Error`. On SQLite it takes the write lock at its beginning (`BEGIN IMMEDIATE`).
#[macro_export]
macro_rules! transaction {
    ($database:expr, $place:expr, $error:ty, |$c:ident| $body:expr) => {
        $crate::transaction!($database, $place, unless | _ | false, $error, |$c| $body)
    };
    ($database:expr, $place:expr, unless $nothing:expr, $error:ty, |$c:ident| $body:expr) => {
        match $database {
            $crate::database::Database::Postgres(pool) => {
                async {
                    let mut guard = pool.get().await.map_err($crate::database::Error::from)?;
                    let committed = ::diesel_async::AsyncConnection::transaction::<_, $error, _>(
                        &mut *guard,
                        async |$c| $crate::__with_points!(Before, $place, $nothing, async { $body }.await),
                    );
                    $crate::__with_points!(After, $place, $nothing, committed.await)
                }
                .await
            }
            $crate::database::Database::Sqlite { write, .. } => {
                async {
                    let mut guard = write.get().await.map_err($crate::database::Error::from)?;
                    let committed = (*guard).immediate_transaction::<_, $error, _>(async |$c| {
                        $crate::__with_points!(Before, $place, $nothing, async { $body }.await)
                    });
                    $crate::__with_points!(After, $place, $nothing, committed.await)
                }
                .await
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __with_points {
    ($side:ident, $place:expr, $nothing:expr, $result:expr) => {{
        let result = $result;
        $crate::crash::pass_with($crate::crash::Side::$side, $place, &result, $nothing);
        result
    }};
}

/// Declares steps that several transactions share, implemented for both backends:
///
/// ```ignore
/// on_both! {
///     /// What transactions on conversations share.
///     pub(crate) trait Steps {
///         /// Reads a row.
///         async fn conversation(&mut self, id: &str) -> QueryResult<Row> {
///             conversation::table.find(id).first(self).await
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! on_both {
    (
        $(#[$trait_meta:meta])*
        $visibility:vis trait $name:ident {
            $($(#[$meta:meta])* async fn $step:ident($($parameters:tt)*) -> $output:ty $body:block)*
        }
    ) => {
        $(#[$trait_meta])*
        $visibility trait $name {
            $($(#[$meta])* fn $step($($parameters)*) -> impl ::std::future::Future<Output = $output> + Send;)*
        }

        impl $name for $crate::database::Postgres {
            $(async fn $step($($parameters)*) -> $output $body)*
        }

        impl $name for $crate::database::Sqlite {
            $(async fn $step($($parameters)*) -> $output $body)*
        }
    };
}
