//! The interactive page at `/docs/`: Swagger UI, embedded into the binary. It loads nothing from elsewhere, and its
//! Content-Security-Policy sees to that. It keeps no token: whoever enters one enters it again after a reload.

use crate::error;
use crate::problem::Problem;
use crate::query::{NoQuery, Params};
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use utoipa_swagger_ui::Config;

/// Styles are written into elements by the page's scripts, and its icons are data in the style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::new(["/openapi.json"]);
    Arc::new(
        config
            // Without this the page would send the document's address to a service that checks it.
            .validator_url("none")
            // A link must not be able to make the page show another document.
            .query_config_enabled(false)
            .display_request_duration(true)
            .doc_expansion("list"),
    )
});

/// The way to the interactive page
#[utoipa::path(
    get, path = "/docs", operation_id = "redirectToDocs", tag = "about",
    responses((status = 308, description = "It is at `/docs/`")),
)]
pub(crate) async fn redirect(_: Params<NoQuery>) -> Redirect {
    Redirect::permanent("/docs/")
}

/// The interactive page
///
/// This document to read and to try out.
#[utoipa::path(
    get, path = "/docs/", operation_id = "getDocs", tag = "about",
    responses((status = 200, description = "A page for browsers", body = String, content_type = "text/html")),
)]
pub(crate) async fn index() -> Result<Response, Problem> {
    serve("index.html")
}

/// A file of the interactive page
#[utoipa::path(
    get, path = "/docs/{file}", operation_id = "getDocsFile", tag = "about",
    params(("file" = String, Path, description = "The file's name", example = "swagger-ui.css")),
    responses((status = 200, description = "The file", body = String, content_type = "text/css")),
)]
pub(crate) async fn file(Path(file): Path<String>) -> Result<Response, Problem> {
    serve(&file)
}

fn serve(name: &str) -> Result<Response, Problem> {
    let Some(file) = utoipa_swagger_ui::serve(name, CONFIG.clone()).map_err(|e| error::internal(&e))? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let content_type = HeaderValue::try_from(file.content_type).map_err(|e| error::internal(&e))?;
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    // Not copied for each of those who ask: the largest has more than a megabyte, and who asks may not take it.
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    Ok((headers, bytes).into_response())
}
