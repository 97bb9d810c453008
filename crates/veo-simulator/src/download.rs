//! Sends finished videos, whole or by ranges, and spoils them on the way where a fault asks for it.

use std::io::SeekFrom;
use std::time::Duration;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, ByteRangeSpec, ContentRange, ContentRangeSpec, Header, Range};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::fault::Fault;
use crate::google::{ApiError, Kind};
use crate::operations::Download;
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
    let (first, last) = match requested_range(request) {
        None => (0, size - 1),
        Some(range) => {
            let Some((first, last)) = range.to_satisfiable_range(size) else {
                let size = ContentRangeSpec::Bytes { range: None, instance_length: Some(size) };
                return Ok(answer
                    .status(StatusCode::RANGE_NOT_SATISFIABLE)
                    .insert_header(ContentRange(size))
                    .finish());
            };
            let range = ContentRangeSpec::Bytes { range: Some((first, last)), instance_length: Some(size) };
            answer.status(StatusCode::PARTIAL_CONTENT).insert_header(ContentRange(range));
            (first, last)
        }
    };
    file.seek(SeekFrom::Start(first)).await.map_err(unreadable)?;
    let length = last - first + 1;
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

async fn open(studio: &Studio, wanted: &Download) -> Result<(File, u64), ApiError> {
    let file = studio.open(&wanted.clip).await.map_err(unreadable)?;
    let size = file.metadata().await.map_err(unreadable)?.len();
    // The index stands at the head of the file, so only who looks for the pictures themselves misses them.
    Ok((file, if wanted.has(Fault::Truncated) { size / 2 } else { size }))
}

/// The range that is asked for, if it is one that we serve: of several, and of a malformed one, HTTP lets a server
/// make nothing.
fn requested_range(request: &HttpRequest) -> Option<ByteRangeSpec> {
    match Range::parse(request) {
        Ok(Range::Bytes(ranges)) => match ranges.as_slice() {
            [range] => Some(range.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn unreadable(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(%error, "A video cannot be read");
    ApiError::new(Kind::Internal, "The file cannot be read at the moment.")
}
