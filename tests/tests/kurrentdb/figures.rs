//! The figures of the ADR: `cargo test --workspace --test kurrentdb -- --ignored --nocapture figures`.
//!
//! The fake keeps everything in memory and writes nothing to a disk, so what is measured is our side: encoding, calls,
//! the index. A server of KurrentDB is measured where `KURRENTDB_URL` names one.

use std::sync::Arc;
use std::time::Instant;
use viral_commands::{Settings, Writer};
use viral_store::kurrentdb::{KurrentStore, Options};
use viral_store::{EventStore, Position};
use viral_tests::kurrentdb::{Fake, apart, server};
use viral_tests::samples::{open, transfer};
use viral_tests::server::TestServer;

const TRANSFERS: usize = 100_000;
const CALLERS: usize = 256;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn figures_of_both_homes() {
    let database = TestServer::shared().await.database().await;
    measure("PostgreSQL", database.store().await).await;
    let fake = Fake::start().await;
    on_kurrentdb("the fake of KurrentDB", &fake.url()).await;
    match server() {
        Some(url) => on_kurrentdb("KurrentDB", &apart(&url)).await,
        None => println!("KurrentDB: NOT RUN, KURRENTDB_URL names no server"),
    }
}

async fn on_kurrentdb(name: &str, url: &str) {
    let store = KurrentStore::open_or_create(url, Options::default()).await.unwrap();
    measure(name, Arc::new(store)).await;
    let began = Instant::now();
    let again = KurrentStore::open(url, Options::default()).await.unwrap();
    let events = again.head().await.unwrap().position.0;
    println!(
        "{name}: index of {events} events built in {:.2} s",
        began.elapsed().as_secs_f64()
    );
}

async fn measure(name: &str, store: Arc<dyn EventStore>) {
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    for unit in [open("bank", true), open("a", true)] {
        writer.append(unit).await.unwrap();
    }
    let began = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let writer = writer.clone();
            tokio::spawn(async move {
                for _ in 0..TRANSFERS / CALLERS {
                    writer.append(transfer("bank", "a", "1")).await.unwrap();
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    let (events, seconds) = (TRANSFERS / CALLERS * CALLERS, began.elapsed().as_secs_f64());
    let appended = writer.appended();
    println!(
        "{name}: {events} transfers of {CALLERS} callers in {seconds:.2} s, {:.0} a second, {} batches",
        events as f64 / seconds,
        appended.batches
    );
    let mut single = Vec::new();
    for _ in 0..200 {
        let began = Instant::now();
        writer.append(transfer("bank", "a", "1")).await.unwrap();
        single.push(began.elapsed());
    }
    single.sort();
    println!("{name}: one alone takes {:?} (median of 200)", single[100]);
    let began = Instant::now();
    let mut position = Position::START;
    loop {
        let page = store.read_after(position, 4_096).await.unwrap();
        let Some(last) = page.last() else {
            break;
        };
        position = last.position;
    }
    println!(
        "{name}: {position} events read in {:.2} s",
        began.elapsed().as_secs_f64()
    );
}
