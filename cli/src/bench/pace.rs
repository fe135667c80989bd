//! Posts over HTTP at an even pace, so that it can be told how long after its answer each event is somewhere else.

use super::load::{self, Random};
use super::process::Process;
use super::server::Server;
use crate::Error;
use crate::client::Client;
use reqwest::Method;
use std::time::{Duration, Instant};
use viral_commands::{Settings, Writer};
use viral_store::{EventStore as _, Position};

const PER_SECOND: u32 = 1_000;
const SECONDS: u32 = 10;
/// Enough that the next post need not wait for an answer.
const CONNECTIONS: u32 = 64;

/// What came of them.
pub(super) struct Paced {
    /// How many a second there really were.
    pub(super) per_second: f64,
    /// The one event of each, and when its answer was read.
    pub(super) answered: Vec<(Position, Instant)>,
}

/// A platform over a new log with the accounts of the load, and the position of the last of them.
pub(super) async fn platform(server: &Server, settings: &[(&str, &str)]) -> Result<(Process, Position), Error> {
    let (store, url) = server.log().await?;
    let (writer, task) = Writer::start(store.clone(), Settings::default()).await?;
    load::open_accounts(&writer).await?;
    drop(writer);
    // It ends with its last handle; a panic in it would have failed the accounts.
    let _ = task.await;
    let opened = store.head().await?.position;
    store.close().await;
    Ok((Process::start(server, "up", &url, settings).await?, opened))
}

/// Posts transfers, each at its own time whether those before are answered or not, as long as a connection is free.
pub(super) async fn post(operator: &Client) -> Result<Paced, Error> {
    let began = Instant::now();
    let callers: Vec<_> = (0..CONNECTIONS)
        .map(|first| tokio::spawn(one_connection(operator.clone(), first, began)))
        .collect();
    let mut answered = Vec::new();
    for caller in callers {
        answered.extend(caller.await.map_err(|e| Error::Other(e.to_string()))??);
    }
    Ok(Paced {
        per_second: answered.len() as f64 / began.elapsed().as_secs_f64(),
        answered,
    })
}

/// Every post whose turn it is on this connection.
async fn one_connection(operator: Client, first: u32, began: Instant) -> Result<Vec<(Position, Instant)>, Error> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ u64::from(first + 1));
    let mut answered = Vec::new();
    for number in (first..PER_SECOND * SECONDS).step_by(CONNECTIONS as usize) {
        let due = began + Duration::from_secs(1) * number / PER_SECOND;
        tokio::time::sleep_until(due.into()).await;
        let (key, body) = (format!("bench-{number}"), load::body(&mut random));
        let answer = operator
            .send_once(Method::POST, "/v1/ledger/transactions", &key, &body)
            .await?;
        let read = Instant::now();
        let position = answer.success()?.position;
        let position = position.ok_or_else(|| Error::Other("an answer of the platform has no position".to_owned()))?;
        answered.push((Position(position), read));
    }
    Ok(answered)
}
