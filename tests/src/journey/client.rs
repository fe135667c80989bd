//! Somebody who calls the API until there is an answer, and remembers what it was.

use crate::process::{Answer, Api, Call};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long a call may remain without an answer, over all its repetitions.
const PATIENCE: Duration = Duration::from_secs(120);

/// Somebody with a token.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user's id.
    pub id: String,
    /// The user's token.
    pub token: String,
}

/// A call that was answered.
#[derive(Debug, Clone)]
pub struct Done {
    /// Whose.
    pub token: String,
    /// What was asked.
    pub call: Call,
    /// What was answered.
    pub answer: Answer,
    /// How often it was sent.
    pub sent: u32,
}

impl Person {
    /// Calls, and calls again with the same key for as long as nobody answers or the platform says that it cannot yet.
    pub async fn insist(&self, api: &Api, call: &Call) -> Done {
        let deadline = Instant::now() + PATIENCE;
        let mut sent = 0;
        loop {
            sent += 1;
            let problem = match api.send(&self.token, call).await {
                Ok(answer) if answer.status != StatusCode::SERVICE_UNAVAILABLE => {
                    return self.done(call, answer, sent);
                }
                Ok(answer) => format!("{answer:?}"),
                Err(error) => error.to_string(),
            };
            assert!(Instant::now() < deadline, "{call:?} was sent {sent} times: {problem}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Calls once: there must be an answer.
    pub async fn call(&self, api: &Api, call: &Call) -> Done {
        let answer = api.send(&self.token, call).await;
        self.done(call, answer.unwrap_or_else(|e| panic!("{call:?}: {e}")), 1)
    }

    /// The body of an answer that must be a success.
    pub async fn must(&self, api: &Api, call: Call) -> Value {
        let done = self.insist(api, &call).await;
        assert!(done.answer.status.is_success(), "{done:?}");
        done.answer.body
    }

    fn done(&self, call: &Call, answer: Answer, sent: u32) -> Done {
        let (token, call) = (self.token.clone(), call.clone());
        Done {
            token,
            call,
            answer,
            sent,
        }
    }
}

impl Done {
    /// Whether it wrote something.
    pub fn wrote(&self) -> bool {
        self.call.method != Method::GET && self.answer.status.is_success()
    }

    /// Its position, if it wrote something.
    pub fn position(&self) -> Option<u64> {
        let position = self.answer.body["position"].as_str()?.parse();
        position.ok().filter(|_| self.wrote())
    }
}

/// The problem codes that the documentation lists, with their statuses.
#[derive(Debug)]
pub struct Known(BTreeSet<(u16, String)>);

impl Known {
    /// Reads the table.
    pub fn of_docs() -> Known {
        let path = std::path::Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../docs/API.md");
        let docs = std::fs::read_to_string(path).unwrap();
        let code = |line: &str| {
            let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
            let code = cells.next()?.trim_end_matches('`').to_owned();
            Some((cells.next()?.parse().ok()?, code))
        };
        let known: BTreeSet<_> = docs.lines().filter_map(code).collect();
        assert!(known.len() > 100, "the table of codes was not found");
        Known(known)
    }
}

/// Answers by status and code.
#[derive(Debug, Default)]
pub struct Tally(BTreeMap<(u16, String), u64>);

impl Tally {
    /// Counts answers, each of which must be a success or a refusal that is documented. The clients ask for nothing
    /// that could not be, so what is refused is refused because of what the others did.
    pub fn add(&mut self, done: &[Done], known: &Known) {
        for done in done {
            let status = done.answer.status.as_u16();
            let code = done.answer.body["code"].as_str().unwrap_or_default().to_owned();
            let refused = [403, 404, 409, 422].contains(&status) && known.0.contains(&(status, code.clone()));
            assert!(done.answer.status.is_success() || refused, "{done:?}");
            *self.0.entry((status, code)).or_default() += 1;
        }
    }

    /// How many answers.
    pub fn count(&self) -> u64 {
        self.0.values().sum()
    }

    /// How many were successes.
    pub fn successes(&self) -> u64 {
        let success = |((status, _), count): (&(u16, String), &u64)| (*status < 300).then_some(*count);
        self.0.iter().filter_map(success).sum()
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} answers:", self.count())?;
        self.0
            .iter()
            .try_for_each(|((status, code), count)| write!(f, " {status} {code} {count},"))
    }
}
