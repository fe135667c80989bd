//! The API over HTTP, with keep-alive connections, beside an endpoint of the same server that does nothing.

use super::figures::Latencies;
use super::process::{Cpu, Process};
use super::report::{DelayReport, HttpReport, HttpRow};
use super::server::Server;
use crate::Error;
use crate::client::Client;
use chrono::{SecondsFormat, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const CONNECTIONS: [usize; 2] = [16, 64];
/// How many delays are measured one after the other.
const DELAYS: usize = 300;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Empty,
    /// All fund the same campaign.
    FundOne,
    /// Each connection funds a campaign of its own.
    FundMany,
    Replay,
    Campaign,
    Wallet,
}

const CALLS: [Call; 6] = [
    Call::Empty,
    Call::FundOne,
    Call::FundMany,
    Call::Replay,
    Call::Campaign,
    Call::Wallet,
];

impl Call {
    fn name(self) -> &'static str {
        match self {
            Call::Empty => "empty endpoint",
            Call::FundOne => "fund, one campaign",
            Call::FundMany => "fund, one campaign each",
            Call::Replay => "idempotent replay",
            Call::Campaign => "campaign detail",
            Call::Wallet => "wallet, 50 transactions",
        }
    }
}

/// A sponsor with many campaigns.
#[derive(Clone)]
struct Stage {
    sponsor: Client,
    campaigns: Arc<Vec<String>>,
    keys: Arc<AtomicU64>,
}

pub(super) async fn measure(server: &Server, duration: Duration) -> Result<(HttpReport, DelayReport), Error> {
    let process = Process::start(server, "up", &server.empty_database().await?, &[]).await?;
    let stage = Stage::set(&process.operator()?).await?;
    let mut rows: Vec<HttpRow> = Vec::new();
    for connections in CONNECTIONS {
        for call in CALLS {
            eprintln!("HTTP, {}, {connections} connections", call.name());
            server.settle().await?;
            let run = load(&process, &stage, call, connections, duration).await?;
            let empty = rows
                .iter()
                .find(|row| row.call == Call::Empty.name() && row.connections == connections);
            let over_empty = empty.map_or(1.0, |empty| run.per_second / empty.per_second);
            rows.push(HttpRow { over_empty, ..run });
        }
    }
    eprintln!("the delay from the answer to the read model");
    let delays = delays(&stage).await?;
    process.stop().await?;
    Ok((HttpReport { rows }, delays))
}

impl Stage {
    async fn set(operator: &Client) -> Result<Stage, Error> {
        let post = async |client: &Client, path: &str, key: &str, body: Value| {
            client.send_once(Method::POST, path, key, &body).await?.success()
        };
        let body = json!({"role": "sponsor", "display_name": "Bench"});
        let registered = post(operator, "/v1/dev/users", "bench-sponsor", body).await?;
        let sponsor = operator.with_token(&registered.text("token"));
        let fiat = json!({"fiat": {"amount": "10000000.00", "asset": "USD"}, "fiat_entry": "bench"});
        post(&sponsor, "/v1/wallets/on-ramp", "bench-on-ramp", fiat).await?;
        let time = |days| (Utc::now() + chrono::Duration::days(days)).to_rfc3339_opts(SecondsFormat::Micros, true);
        let mut campaigns = Vec::new();
        for number in 0..64 {
            let body = json!({
                "type": "bench", "title": format!("Campaign {number}"), "budget_vcoin": "10000000",
                "start_at": time(0), "end_at": time(30), "kpi_config": {"deliverables": 10},
            });
            let created = post(&sponsor, "/v1/campaigns", &format!("bench-campaign-{number}"), body).await?;
            campaigns.push(created.text("id"));
        }
        let stage = Stage {
            sponsor,
            campaigns: Arc::new(campaigns),
            keys: Arc::default(),
        };
        // So that the wallet has its 50 transactions, and there is a call to be repeated.
        for _ in 0..50 {
            stage.call(Call::FundOne, 0).await?;
        }
        stage.call(Call::Replay, 0).await?;
        Ok(stage)
    }

    async fn call(&self, call: Call, connection: usize) -> Result<(), Error> {
        let campaign = match call {
            Call::FundMany => &self.campaigns[connection % self.campaigns.len()],
            _ => &self.campaigns[0],
        };
        let fund = format!("/v1/campaigns/{campaign}/fund");
        let amount = json!({"amount_vcoin": "0.0001"});
        let answer = match call {
            Call::Empty => self.sponsor.get("/healthz").await?,
            Call::FundOne | Call::FundMany => {
                let key = format!("bench-{}", self.keys.fetch_add(1, Ordering::Relaxed));
                self.sponsor.send_once(Method::POST, &fund, &key, &amount).await?
            }
            Call::Replay => {
                self.sponsor
                    .send_once(Method::POST, &fund, "bench-replay", &amount)
                    .await?
            }
            Call::Campaign => self.sponsor.get(&format!("/v1/campaigns/{campaign}")).await?,
            Call::Wallet => self.sponsor.get("/v1/wallets/me?limit=50").await?,
        };
        answer.success().map(|_| ())
    }
}

async fn load(
    process: &Process,
    stage: &Stage,
    call: Call,
    connections: usize,
    duration: Duration,
) -> Result<HttpRow, Error> {
    let (before, start) = (process.cpu(), Instant::now());
    let callers: Vec<_> = (0..connections)
        .map(|connection| {
            let stage = stage.clone();
            tokio::spawn(async move {
                let mut latencies = Latencies::default();
                while start.elapsed() < duration {
                    let called = Instant::now();
                    stage.call(call, connection).await?;
                    latencies.add(called.elapsed());
                }
                Ok::<_, Error>(latencies)
            })
        })
        .collect();
    let mut latencies = Latencies::default();
    for caller in callers {
        latencies.merge(caller.await.map_err(|e| Error::Other(e.to_string()))??);
    }
    let (seconds, after) = (start.elapsed().as_secs_f64(), process.cpu());
    let requests = latencies.count() as f64;
    let per_request = |of: fn(Cpu) -> f64| (of(after) - of(before)) / requests.max(1.0) * 1e6;
    Ok(HttpRow {
        call: call.name(),
        connections,
        per_second: requests / seconds,
        over_empty: 1.0,
        p50_ms: latencies.percentile(0.50),
        p99_ms: latencies.percentile(0.99),
        platform_cpu_us: per_request(|cpu| cpu.platform),
        database_cpu_us: per_request(|cpu| cpu.database),
    })
}

/// From the answer to a write until a read that waits for it is answered, beside the same read that waits for nothing;
/// on a quiet platform, and while 16 connections write.
async fn delays(stage: &Stage) -> Result<DelayReport, Error> {
    let (mut quiet, mut reads) = delays_now(stage).await?;
    let busy = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let writers: Vec<_> = (0..16)
        .map(|connection| {
            let (stage, busy) = (stage.clone(), busy.clone());
            tokio::spawn(async move {
                while busy.load(Ordering::Relaxed) {
                    stage.call(Call::FundMany, connection + 1).await?;
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    let loaded = delays_now(stage).await;
    busy.store(false, Ordering::Relaxed);
    for writer in writers {
        writer.await.map_err(|e| Error::Other(e.to_string()))??;
    }
    let (mut loaded, mut loaded_reads) = loaded?;
    Ok(DelayReport {
        quiet_p50_ms: quiet.percentile(0.50),
        quiet_p99_ms: quiet.percentile(0.99),
        quiet_read_p50_ms: reads.percentile(0.50),
        loaded_p50_ms: loaded.percentile(0.50),
        loaded_p99_ms: loaded.percentile(0.99),
        loaded_read_p50_ms: loaded_reads.percentile(0.50),
    })
}

async fn delays_now(stage: &Stage) -> Result<(Latencies, Latencies), Error> {
    let (mut delays, mut reads) = (Latencies::default(), Latencies::default());
    let path = format!("/v1/campaigns/{}", stage.campaigns[0]);
    for _ in 0..DELAYS {
        let key = format!("bench-{}", stage.keys.fetch_add(1, Ordering::Relaxed));
        let amount = json!({"amount_vcoin": "0.0001"});
        let fund = format!("{path}/fund");
        let written = stage
            .sponsor
            .send_once(Method::POST, &fund, &key, &amount)
            .await?
            .success()?;
        let position = written.position.unwrap_or(0);
        let answered = Instant::now();
        stage
            .sponsor
            .get(&format!("{path}?min_position={position}"))
            .await?
            .success()?;
        delays.add(answered.elapsed());
        let asked = Instant::now();
        stage.sponsor.get(&path).await?.success()?;
        reads.add(asked.elapsed());
    }
    Ok((delays, reads))
}
