//! PostgreSQL stopped with `-m immediate` and started again, ten times under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;
use viral_commands::{Settings, Writer};
use viral_store::{EventStore, Position};
use viral_tests::hold::PATIENCE;
use viral_tests::samples::{address, open, transfer};
use viral_tests::server::TestServer;

const OUTAGES: u32 = 10;
const CALLERS: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn callers_get_success_or_an_error_they_can_retry() {
    let server = TestServer::start().await;
    let database = server.database().await;
    let store: Arc<dyn EventStore> = database.store().await;
    // One writer waits for the server to come back, the other gives up at once and leaves the retry to its callers.
    let impatient = Settings {
        patience: Duration::ZERO,
        ..Settings::default()
    };
    let (patient, _) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let (impatient, _) = Writer::start(database.store().await, impatient).await.unwrap();
    for account in ["bank", "a"] {
        patient.append(open(account, true)).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let (acknowledged, errors) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let tasks: Vec<_> = (0..CALLERS)
        .map(|n| {
            let writer = if n % 2 == 0 { patient.clone() } else { impatient.clone() };
            let (stop, acknowledged, errors) = (stop.clone(), acknowledged.clone(), errors.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let unit = transfer("bank", "a", "1");
                    loop {
                        match writer.append(unit.clone()).await {
                            Ok(outcome) => {
                                assert_eq!(outcome.events()[0].event_id, unit.id);
                                acknowledged.fetch_add(1, Ordering::Relaxed);
                                break;
                            }
                            Err(error) => {
                                assert!(error.is_retryable(), "{error}");
                                errors.fetch_add(1, Ordering::Relaxed);
                                tokio::time::sleep(Duration::from_millis(20)).await;
                            }
                        }
                    }
                }
            })
        })
        .collect();
    let more = async |counter: &AtomicU64, count: u64| {
        let (enough, deadline) = (counter.load(Ordering::Relaxed) + count, Instant::now() + PATIENCE);
        while counter.load(Ordering::Relaxed) < enough {
            assert!(Instant::now() < deadline, "nothing goes on");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    for outage in 0..OUTAGES {
        // In the middle of the calls, after a number of them that differs from outage to outage.
        more(&acknowledged, 500 + u64::from(outage) * 31 % 150).await;
        server.postgres.stop_immediate().await.unwrap();
        // Those who do not wait have noticed it.
        more(&errors, CALLERS as u64 / 2).await;
        server.postgres.restart().await.unwrap();
    }
    // It went on by itself each time.
    more(&acknowledged, 500).await;
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await.unwrap();
    }
    let (acknowledged, errors) = (acknowledged.load(Ordering::Relaxed), errors.load(Ordering::Relaxed));
    println!("{OUTAGES} outages: {acknowledged} transfers acknowledged, {errors} errors to retry");
    assert!(errors >= u64::from(OUTAGES) * CALLERS as u64 / 2, "{errors}");
    assert_eq!(store.head().await.unwrap().position, Position(2 + acknowledged));
    for writer in [&patient, &impatient] {
        let balance = writer
            .read(|book, _| book.account(&address("a")).map(|a| a.balance()))
            .await
            .unwrap();
        assert_eq!(balance, Some(i128::from(acknowledged) * 10_000));
    }
    let report = viral_audit::verify(&store, &viral_audit::Silent).await.unwrap();
    assert!(report.holds, "{:?}", report.first_bad);
}

/// A server that takes a call and never answers: its process is stopped, not ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_falls_silent_is_given_up_in_time() {
    let server = TestServer::start().await;
    let database = server.database().await;
    let store: Arc<dyn EventStore> = database.store().await;
    let settings = Settings {
        patience: Duration::from_secs(1),
        call_timeout: Duration::from_secs(1),
        ..Settings::default()
    };
    let (writer, _task) = Writer::start(store.clone(), settings).await.unwrap();
    for account in ["bank", "a"] {
        writer.append(open(account, true)).await.unwrap();
    }
    let signal = |name: &'static str| {
        let pid = server.postgres.pid().unwrap();
        // The postmaster and all that it has started.
        let script = format!("kill -{name} {pid}; pkill -{name} -P {pid}; true");
        std::process::Command::new("sh").args(["-c", &script]).status().unwrap();
    };
    signal("STOP");
    let unit = transfer("bank", "a", "1");
    let began = Instant::now();
    let error = writer.append(unit.clone()).await.unwrap_err();
    let read = writer.read(|_, position| position).await;
    let waited = began.elapsed();
    signal("CONT");
    assert!(error.is_retryable(), "{error}");
    assert!(read.is_err(), "{read:?}");
    // Longer means that it waits for ever.
    assert!(waited < Duration::from_secs(60), "{waited:?}");
    // The same unit again: once, whatever became of the first try.
    while writer.append(unit.clone()).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let balance = writer
        .read(|book, _| book.account(&address("a")).map(|a| a.balance()))
        .await
        .unwrap();
    assert_eq!(balance, Some(10_000));
    assert_eq!(store.head().await.unwrap().position, Position(3));
}
