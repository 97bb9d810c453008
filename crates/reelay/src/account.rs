//! The local account: signed in with the token of last time, else with the password, else registered.

use anyhow::{Result, bail};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{client::Client, secrets::Secrets};

/// How many addresses are tried where others have taken them.
const MOST_ADDRESSES: usize = 3;

#[derive(Deserialize)]
struct SignedIn {
    token: String,
}

/// Signs in and gives the secrets back as they are to be kept.
pub(crate) async fn sign_in(api: &str, secrets: &Secrets) -> Result<Secrets> {
    let mut secrets = secrets.clone();
    if let Some(token) = &secrets.token {
        let me: Value = Client::new(api, Some(token))?.get("/api/auth/me").await?;
        if me["user"].is_object() {
            return Ok(secrets);
        }
    }
    let client = Client::new(api, None)?;
    for _ in 0..MOST_ADDRESSES {
        let credentials = json!({"email": secrets.email, "password": secrets.password});
        // Registering first: on a new data directory, which is where it matters, that is one request.
        let known = secrets.token.is_some();
        let routes = if known { ["login", "register"] } else { ["register", "login"] };
        for route in routes {
            match client.post::<SignedIn>(&format!("/api/auth/{route}"), &credentials).await {
                Ok(signed_in) => {
                    secrets.token = Some(signed_in.token);
                    return Ok(secrets);
                }
                Err(error)
                    if matches!(error.status(), Some(StatusCode::UNAUTHORIZED | StatusCode::CONFLICT)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        // Somebody else's, in a database that is shared.
        secrets.take_another_email();
        secrets.token = None;
    }
    bail!("every address is taken")
}
