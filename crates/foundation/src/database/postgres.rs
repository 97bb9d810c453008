//! PostgreSQL: connections without libpq, TLS by rustls, a schema for each service.

use std::{path::Path, sync::Arc, time::Duration};

use diesel::ConnectionError;
use diesel_async::{
    AsyncMigrationHarness, SimpleAsyncConnection as _,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod, deadpool::Pool},
};
use diesel_migrations::MigrationHarness as _;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};
use tokio::runtime::Handle;
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;
use url::Url;

use super::{DatabaseSettings, OpenError, POOL_WAIT, Postgres, Schema};

/// Guards the migrations of all services and replicas on one database; any fixed number will do.
const MIGRATION_LOCK: i64 = 0x5265_656c_6179;

/// How long the server may leave unanswered what was sent to it, even a look whether it is there, before the
/// connection counts as broken. The system by itself waits a quarter of an hour for a host that has vanished.
const SILENCE: Duration = Duration::from_secs(30);
/// How long nothing is sent before such a look, and how long between two of them.
const LOOK_AFTER: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How to reach the server.
#[derive(Clone)]
struct Target {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    schema: &'static str,
}

pub(super) async fn open(
    settings: &DatabaseSettings,
    url: &Url,
    schema: Schema,
) -> Result<Pool<Postgres>, OpenError> {
    let target = target(url, settings.ca_file.as_deref(), schema.name)?;
    migrate(&target, schema).await?;
    let home = Handle::current();
    let mut config = ManagerConfig::<Postgres>::default();
    config.recycling_method = RecyclingMethod::Fast;
    config.custom_setup = Box::new(move |_| {
        let (target, home) = (target.clone(), home.clone());
        Box::pin(async move {
            // The connection's driver must live on the home runtime, whichever asks for the connection.
            home.spawn(async move { connect(&target).await })
                .await
                .map_err(|error| ConnectionError::BadConnection(error.to_string()))?
        })
    });
    // The manager wants a URL, which the set-up above does not need; the real one holds a password.
    Pool::builder(AsyncDieselConnectionManager::new_with_config("postgres://", config))
        .max_size(settings.pool_size)
        .wait_timeout(Some(POOL_WAIT))
        .create_timeout(Some(POOL_WAIT))
        .runtime(deadpool::Runtime::Tokio1)
        .build()
        .map_err(|error| OpenError::Connect(error.to_string()))
}

/// Reads the URL. `sslmode` has libpq's meaning: `prefer` and `require` encrypt and do not check who
/// answers, `verify-full` (and, more strictly than in libpq, `verify-ca`) checks certificate and name.
fn target(url: &Url, ca_file: Option<&Path>, schema: &'static str) -> Result<Target, OpenError> {
    let mode = url.query_pairs().find(|(key, _)| key == "sslmode").map(|(_, mode)| mode.into_owned());
    let (tls_mode, verified) = match mode.as_deref().unwrap_or("prefer") {
        "disable" => (SslMode::Disable, false),
        "allow" | "prefer" => (SslMode::Prefer, false),
        "require" => (SslMode::Require, false),
        "verify-ca" | "verify-full" => (SslMode::Require, true),
        _ => {
            return Err(OpenError::Url("sslmode must be disable, prefer, require or verify-full".to_owned()));
        }
    };
    let mut plain = url.clone();
    let rest: Vec<_> = url.query_pairs().filter(|(key, _)| key != "sslmode").collect();
    plain.set_query(None);
    if !rest.is_empty() {
        plain.query_pairs_mut().extend_pairs(rest);
    }
    let mut config: tokio_postgres::Config =
        plain.as_str().parse().map_err(|error: tokio_postgres::Error| OpenError::Url(error.to_string()))?;
    config.ssl_mode(tls_mode).application_name(format!("reelay-{schema}"));
    config.connect_timeout(POOL_WAIT);
    let given = |name: &str| url.query_pairs().any(|(key, _)| key == name);
    if !given("tcp_user_timeout") {
        config.tcp_user_timeout(SILENCE);
    }
    if !given("keepalives_idle") {
        config.keepalives_idle(LOOK_AFTER);
    }
    if !given("keepalives_interval") {
        config.keepalives_interval(LOOK_EVERY);
    }
    Ok(Target { config, tls: MakeRustlsConnect::new(tls_config(verified, ca_file)?), schema })
}

/// How long the server waits for the next statement of a transaction before it rolls it back. Ours follow each
/// other at once; a process that is frozen in the middle of one must not keep its rows from all others.
const ABANDONED: &str = "10s";

async fn connect(target: &Target) -> Result<Postgres, ConnectionError> {
    let bad = |error: tokio_postgres::Error| ConnectionError::BadConnection(describe(&error));
    let (client, connection) = target.config.connect(target.tls.clone()).await.map_err(bad)?;
    let mut connection = Postgres::try_from_client_and_connection(client, connection).await?;
    connection
        .batch_execute(&format!(
            "SET search_path TO {}; SET TIME ZONE 'UTC'; SET idle_in_transaction_session_timeout TO '{ABANDONED}'",
            target.schema
        ))
        .await
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// The driver's text says only what kind of error it was; the cause says what happened.
fn describe(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

/// Brings the schema up to date under a lock that all replicas and services share. Closing the connection
/// gives the lock back, whatever happened.
async fn migrate(target: &Target, schema: Schema) -> Result<(), OpenError> {
    let mut connection = connect(target).await.map_err(|error| OpenError::Connect(error.to_string()))?;
    let failed = |error: &dyn std::fmt::Display| OpenError::Migrate(error.to_string());
    connection
        .batch_execute(&format!(
            "SELECT pg_advisory_lock({MIGRATION_LOCK}); CREATE SCHEMA IF NOT EXISTS {}",
            schema.name
        ))
        .await
        .map_err(|error| failed(&error))?;
    // The harness blocks its thread, and panics on a current-thread runtime.
    tokio::task::spawn_blocking(move || {
        AsyncMigrationHarness::new(connection)
            .run_pending_migrations(schema.postgres)
            .map(drop)
            .map_err(|error| failed(&error))
    })
    .await
    .map_err(|error| failed(&error))?
}

fn tls_config(verified: bool, ca_file: Option<&Path>) -> Result<ClientConfig, OpenError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| OpenError::Connect(error.to_string()))?;
    if !verified {
        let verifier = Arc::new(Unverified(provider));
        return Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth());
    }
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        let unusable = |reason: String| OpenError::File { path: path.to_owned(), reason };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
            let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
            roots.add(certificate).map_err(|error| unusable(error.to_string()))?;
        }
    }
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Accepts any certificate, as libpq does for `sslmode=prefer` and `require`: the wire is encrypted, the
/// server's name is not checked.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(query: &str) -> tokio_postgres::Config {
        let url = format!("postgres://reelay@db/reelay?{query}").parse().unwrap();
        target(&url, None, "worker").unwrap().config
    }

    #[test]
    fn a_vanished_server_is_noticed_unless_the_url_says_when() {
        let own = config("sslmode=disable");
        assert_eq!(own.get_tcp_user_timeout(), Some(&SILENCE));
        assert_eq!(
            (own.get_keepalives_idle(), own.get_keepalives_interval()),
            (LOOK_AFTER, Some(LOOK_EVERY))
        );
        let given = config("tcp_user_timeout=7&keepalives_idle=8&keepalives_interval=9&sslmode=prefer");
        assert_eq!(given.get_tcp_user_timeout(), Some(&Duration::from_secs(7)));
        assert_eq!(given.get_keepalives_idle(), Duration::from_secs(8));
        assert_eq!(given.get_keepalives_interval(), Some(Duration::from_secs(9)));
    }
}
