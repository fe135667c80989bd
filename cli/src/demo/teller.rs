//! Who tells the story: makes each call, says on standard error what happens, and remembers it for the trail.

use crate::client::{Answer, Client};
use crate::error::Error;
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

/// How long something that follows by itself may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One step of the story.
pub(super) struct Step {
    pub(super) number: usize,
    pub(super) what: String,
    /// The correlation id of its call, by which its events are found.
    pub(super) correlation: String,
}

/// Tells one story.
pub(super) struct Teller {
    pub(super) operator: Client,
    /// Tells this story from others: part of every name, key and correlation id.
    pub(super) story: String,
    /// The head of the log before it began.
    pub(super) start: u64,
    pub(super) steps: Vec<Step>,
    /// The last position that was answered: later reads wait for it.
    position: u64,
}

impl Teller {
    pub(super) async fn new(operator: Client) -> Result<Teller, Error> {
        let id = Uuid::now_v7().simple().to_string();
        let head = operator.get("/v1/events?limit=1").await?.success()?.text("head");
        let start = head.parse().unwrap_or(0);
        let story = id[id.len() - 8..].to_owned();
        eprintln!("Story {story} at {}, after position {start}", operator.base());
        Ok(Teller {
            operator,
            story,
            start,
            steps: Vec::new(),
            position: start,
        })
    }

    /// A write that must succeed.
    pub(super) async fn post(&mut self, who: &Client, what: &str, path: &str, body: Value) -> Result<Answer, Error> {
        self.write(Method::POST, who, what, path, &body).await?.success()
    }

    /// A change of some fields that must succeed.
    pub(super) async fn patch(&mut self, who: &Client, what: &str, path: &str, body: Value) -> Result<Answer, Error> {
        self.write(Method::PATCH, who, what, path, &body).await?.success()
    }

    /// A write that the platform must refuse with this code: that is part of the story too.
    pub(super) async fn refused(
        &mut self,
        who: &Client,
        what: &str,
        path: &str,
        body: Value,
        code: &str,
    ) -> Result<(), Error> {
        let answer = self.write(Method::POST, who, what, path, &body).await?;
        match answer.text("code") {
            found if found == code => {
                eprintln!("      refused, {}: {}", answer.status.as_u16(), answer.text("detail"));
                Ok(())
            }
            found => {
                let status = answer.status.as_u16();
                Err(Error::Other(format!(
                    "{what}: expected {code}, the platform answers {status} {found}"
                )))
            }
        }
    }

    async fn write(
        &mut self,
        method: Method,
        who: &Client,
        what: &str,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Error> {
        let number = self.steps.len() + 1;
        eprintln!("{number:>4}. {what}");
        let correlation = format!("demo-{}-{number}", self.story);
        let who = who.with_correlation(&correlation);
        let answer = who.send_once(method, path, &correlation, body).await?;
        self.position = self.position.max(answer.position.unwrap_or(0));
        self.steps.push(Step {
            number,
            what: what.to_owned(),
            correlation,
        });
        Ok(answer)
    }

    /// A read that sees everything written so far. Read models that are still starting are waited for.
    pub(super) async fn get(&self, who: &Client, path: &str) -> Result<Value, Error> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{separator}min_position={}", self.position);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let answer = who.get(&path).await?;
            // The API has waited for two seconds itself.
            let is_behind = answer.text("code") == "read_model_behind";
            if !is_behind || tokio::time::Instant::now() > deadline {
                return Ok(answer.success()?.body);
            }
        }
    }

    /// Waits until a field of something reads so: what the platform does by itself takes a moment.
    pub(super) async fn wait(&self, who: &Client, path: &str, field: &str, value: &str) -> Result<(), Error> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let found = self.get(who, path).await?[field]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            if found == value {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                let seconds = PATIENCE.as_secs();
                return Err(Error::Other(format!(
                    "{path}: {field} is {found:?}, not {value:?} after {seconds} s"
                )));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A time so many seconds from now.
pub(super) fn in_seconds(seconds: i64) -> String {
    let time: DateTime<Utc> = Utc::now() + chrono::Duration::seconds(seconds);
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
