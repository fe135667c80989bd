//! The platform's API, for commands that work beside a running `viral up`.

use crate::error::Error;
use crate::{running, secrets};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// A caller of the API.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
    correlation: Option<String>,
}

/// What the API answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    /// The position that the answer is as of.
    pub(crate) position: Option<u64>,
}

impl Client {
    /// The operator of the platform that runs in this home. `url` and `VIRAL_API_TOKEN` say otherwise.
    pub(crate) fn operator(home: &Path, url: Option<&str>) -> Result<Client, Error> {
        let base = match url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => running::find(home).ok_or_else(|| {
                let home = home.display();
                Error::Other(format!(
                    "no platform runs in {home}: start one (`viral up --dev`), name its home with --home or its address with --url"
                ))
            })?,
        };
        let given = std::env::var("VIRAL_API_TOKEN").ok().filter(|token| !token.is_empty());
        let token = match given {
            Some(token) => token,
            None => secrets::existing_token(home)?
                .ok_or_else(|| Error::Other("set VIRAL_API_TOKEN to the operator's bearer token".to_owned()))?,
        };
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .no_proxy()
            .build();
        Ok(Client {
            http: http.map_err(|e| Error::Other(format!("the HTTP client: {e}")))?,
            base,
            token,
            correlation: None,
        })
    }

    /// Somebody else, with this token.
    pub(crate) fn with_token(&self, token: &str) -> Client {
        Client {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    /// The same caller, whose calls belong together.
    pub(crate) fn with_correlation(&self, id: &str) -> Client {
        Client {
            correlation: Some(id.to_owned()),
            ..self.clone()
        }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> Result<Answer, Error> {
        self.send(Method::GET, path, None, None).await
    }

    /// Writes, once for this key however often it is sent.
    pub(crate) async fn send_once(&self, method: Method, path: &str, key: &str, body: &Value) -> Result<Answer, Error> {
        self.send(method, path, Some(key), Some(body)).await
    }

    /// Sends lines of JSON, which need no key.
    pub(crate) async fn send_lines(&self, path: &str, lines: String) -> Result<Answer, Error> {
        let url = format!("{}{path}", self.base);
        let request = self.http.post(&url).bearer_auth(&self.token);
        let request = request.header(CONTENT_TYPE, "application/x-ndjson").body(lines);
        answer(&url, request).await
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: Option<&Value>) -> Result<Answer, Error> {
        let url = format!("{}{path}", self.base);
        let mut request = self.http.request(method, &url).bearer_auth(&self.token);
        if let Some(id) = &self.correlation {
            request = request.header("X-Correlation-Id", id);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        answer(&url, request).await
    }
}

async fn answer(url: &str, request: RequestBuilder) -> Result<Answer, Error> {
    let unreachable = |e: reqwest::Error| {
        // Without the URL of the error: it has been said.
        let e = e.without_url();
        Error::Other(format!("{url} does not answer: {e}; is `viral up` running?"))
    };
    let response = request.send().await.map_err(unreachable)?;
    let position = response.headers().get("viral-position");
    let position = position.and_then(|value| value.to_str().ok()?.parse().ok());
    let status = response.status();
    let bytes = response.bytes().await.map_err(unreachable)?;
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Answer { status, body, position })
}

impl Answer {
    /// The body of a success; what the API said is wrong otherwise.
    pub(crate) fn success(self) -> Result<Answer, Error> {
        if self.status.is_success() {
            return Ok(self);
        }
        let text = |name: &str| self.body[name].as_str().unwrap_or("no explanation").to_owned();
        let (status, code, detail) = (self.status.as_u16(), text("code"), text("detail"));
        Err(Error::Other(format!("the platform answers {status} {code}: {detail}")))
    }

    /// A text of the body; empty if it is not there.
    pub(crate) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_default().to_owned()
    }
}
