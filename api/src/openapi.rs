//! The OpenAPI 3.1 document: what the handlers say of themselves by `#[utoipa::path]`, and what holds for all of them.
//!
//! The document is made of the same [`crate::routes`] that are mounted, and `common` adds what the tables know: who may
//! call a route, which problems it can answer, the headers of writes. So a handler says only what is its own.

mod common;
pub(crate) mod page;
pub(crate) mod schemas;

use crate::query::{NoQuery, Params};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use serde_json::Value;
use std::sync::LazyLock;
use utoipa::openapi::{Info, License, OpenApi};

const ABOUT: &str = "\
The ledger, campaigns and wallets of Viral Engine. Amounts are decimal strings, times RFC 3339, positions in the log \
decimal strings. Unknown fields and parameters are refused. Every write wants an `Idempotency-Key` and happens once, \
however often it is sent. Every answer that is no success is a problem (RFC 9457) with a stable `code`. \
`X-Request-Id` is taken over or made, and every answer has it; `X-Correlation-Id`, or else the request's id, becomes \
the correlation id of the events that a request writes.";

/// The document as it is served.
static TEXT: LazyLock<String> = LazyLock::new(|| document().to_string());

/// What the document says beside its paths.
pub(crate) fn head() -> OpenApi {
    let mut info = Info::new("Viral Engine", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.to_owned());
    let mut license = License::new("Apache License 2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    info.license = Some(license);
    let mut document = OpenApi::default();
    document.info = info;
    document
}

/// The whole document.
pub fn document() -> Value {
    let document = crate::routes().into_openapi();
    // It has only texts as keys and finite numbers: nothing that JSON could not say.
    let mut document = serde_json::to_value(document).unwrap_or_default();
    common::complete(&mut document);
    document
}

/// The OpenAPI document
///
/// This document, from the code that is running.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getOpenApi", tag = "about",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)),
)]
pub(crate) async fn get(_: Params<NoQuery>) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], TEXT.as_str())
}
