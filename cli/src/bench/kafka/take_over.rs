//! The active relay dies by kill -9 while another one stands by.

use super::super::figures::median;
use super::super::load::{self, Accounts, Random};
use super::Bed;
use super::arrivals::Arrivals;
use super::relay_process::{self, RelayProcess};
use super::report::TakeOver;
use crate::Error;
use std::time::{Duration, Instant};
use viral_commands::{Settings, Writer};
use viral_store::Position;

const ROUNDS: usize = 7;

pub(super) async fn measure(bed: &Bed<'_>) -> Result<TakeOver, Error> {
    eprintln!("take-over after a relay's death, {ROUNDS} times");
    let (writer, task) = Writer::start(bed.log(), Settings::default()).await?;
    load::open_accounts(&writer).await?;
    let arrivals = Arrivals::begin(bed).await?;
    let mut random = Random(0x0bad_cafe);
    let mut active = RelayProcess::start(bed, bed.broker.address())?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        // It publishes: it is the active one.
        arrivals.of(append(&writer, &mut random).await?).await?;
        let standby = RelayProcess::start(bed, bed.broker.address())?;
        relay_process::wait_for_leases(bed, 2).await?;
        // Killed at any moment between two looks of the one that stands by.
        tokio::time::sleep(Duration::from_millis(1_000 + 37 * times.len() as u64)).await;
        let died = Instant::now();
        active.kill().await?;
        let position = append(&writer, &mut random).await?;
        times.push((arrivals.of(position).await? - died).as_secs_f64());
        active = standby;
    }
    active.kill().await?;
    relay_process::wait_for_leases(bed, 0).await?;
    drop(writer);
    // It ends with its last handle; a panic in it would have failed the appends.
    let _ = task.await;
    Ok(TakeOver {
        rounds: ROUNDS,
        median_seconds: median(&times),
        max_seconds: times.iter().copied().fold(0.0, f64::max),
    })
}

async fn append(writer: &Writer, random: &mut Random) -> Result<Position, Error> {
    let outcome = writer.append(load::transfer(Accounts::Random, random)).await?;
    Ok(outcome.events().last().map(|event| event.position).unwrap_or_default())
}
