//! Sends finished videos, whole or by ranges, and spoils them on the way where a fault asks for it.

use std::io::SeekFrom;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ContentRange, ContentRangeSpec};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::fault::Fault;
use crate::google::{ApiError, Kind};
use crate::operations::Download;
use crate::range::{self, Wanted};
use crate::studio::Studio;

const CHUNK: usize = 64 * 1024;

/// A slow download comes in so many pieces, with so much time before each.
const SLOW_PIECES: u64 = 40;
const SLOW_PAUSE: Duration = Duration::from_millis(250);

const WEB_PAGE: &str = "<!doctype html><title>Sign in</title><h1>Sign in to continue</h1>";

/// Answers a GET of a video's content.
pub(crate) async fn serve(
    request: &HttpRequest,
    studio: &Studio,
    wanted: &Download,
) -> Result<HttpResponse, ApiError> {
    if wanted.has(Fault::Html) {
        return Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(WEB_PAGE));
    }
    let (mut file, size) = open(studio, wanted).await?;
    let mut answer = HttpResponse::Ok();
    answer.content_type("video/mp4").insert_header((header::ACCEPT_RANGES, "bytes"));
    let header = request.headers().get(header::RANGE).and_then(|value| value.to_str().ok());
    let (first, length) = match range::wanted(header, size) {
        Wanted::Whole => (0, size),
        Wanted::Part { first, last } => {
            let range = ContentRangeSpec::Bytes { range: Some((first, last)), instance_length: Some(size) };
            answer.status(StatusCode::PARTIAL_CONTENT).insert_header(ContentRange(range));
            (first, last - first + 1)
        }
        Wanted::NotThere => {
            let size = ContentRangeSpec::Bytes { range: None, instance_length: Some(size) };
            return Ok(answer
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .insert_header(ContentRange(size))
                .finish());
        }
    };
    file.seek(SeekFrom::Start(first)).await.map_err(unreadable)?;
    let content = file.take(length);
    if wanted.has(Fault::Slow) {
        let piece = usize::try_from(length / SLOW_PIECES).unwrap_or(CHUNK).max(1);
        let pieces = ReaderStream::with_capacity(content, piece).then(|piece| async {
            tokio::time::sleep(SLOW_PAUSE).await;
            piece
        });
        return Ok(answer.body(SizedStream::new(length, pieces)));
    }
    Ok(answer.body(SizedStream::new(length, ReaderStream::with_capacity(content, CHUNK))))
}

/// How many bytes a download would have.
pub(crate) async fn size(studio: &Studio, wanted: &Download) -> Result<u64, ApiError> {
    open(studio, wanted).await.map(|(_, size)| size)
}

/// All that a download would have, for an answer that holds it.
pub(crate) async fn content(studio: &Studio, wanted: &Download) -> Result<Vec<u8>, ApiError> {
    if wanted.has(Fault::Html) {
        return Ok(WEB_PAGE.into());
    }
    let (file, size) = open(studio, wanted).await?;
    let mut content = Vec::new();
    file.take(size).read_to_end(&mut content).await.map_err(unreadable)?;
    Ok(content)
}

async fn open(studio: &Studio, wanted: &Download) -> Result<(File, u64), ApiError> {
    let file = studio.open(&wanted.clip).await.map_err(unreadable)?;
    let size = file.metadata().await.map_err(unreadable)?.len();
    // The index stands at the head of the file, so only who looks for the pictures themselves misses them.
    Ok((file, if wanted.has(Fault::Truncated) { size / 2 } else { size }))
}

fn unreadable(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(%error, "A video cannot be read");
    ApiError::new(Kind::Internal, "The file cannot be read at the moment.")
}
