//! Connections that are cut in each step of an append: nothing is lost, and nothing is there twice.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use viral_commands::{Outcome, Settings, Writer};
use viral_store::{EventStore, PostgresStore};
use viral_tests::hold::{Hold, PATIENCE, STOP, stop_at};
use viral_tests::samples::{address, open, transfer};
use viral_tests::server::TestServer;

/// How often each step is cut, and how often before the append may go on.
const ROUNDS: u64 = 3;
const CUTS_A_ROUND: u64 = 2;

/// What the server says of a commit.
const TAG: &[u8] = b"COMMIT\0";

/// One that tries again for as long as it is cut.
async fn patient(store: Arc<PostgresStore>) -> Writer {
    let settings = Settings {
        patience: PATIENCE,
        ..Settings::default()
    };
    let (writer, _task) = Writer::start(store, settings).await.unwrap();
    for account in ["bank", "a"] {
        writer.append(open(account, true)).await.unwrap();
    }
    writer
}

/// The log, and the book in memory, have this many transfers.
async fn check(store: Arc<PostgresStore>, writer: &Writer, transfers: u64) {
    let balance = writer.read(|book, _| book.account(&address("a")).map(|account| account.balance()));
    assert_eq!(balance.await.unwrap(), Some(i128::from(transfers) * 10_000));
    let store: Arc<dyn EventStore> = store;
    assert_eq!(store.head().await.unwrap().position.0, 2 + transfers);
    let report = viral_audit::verify(&store, &viral_audit::Silent).await.unwrap();
    assert!(report.holds, "{:?}", report.first_bad);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_that_is_cut_in_any_step_happens_once() {
    let database = TestServer::shared().await.database().await;
    let store = database.store().await;
    let writer = patient(store.clone()).await;
    let url = &database.superuser_url;
    let commit = "CONSTRAINT TRIGGER at_commit AFTER UPDATE ON log_head DEFERRABLE INITIALLY DEFERRED";
    stop_at(url, commit, "true").await;
    let (mut cuts, mut appended) = (0, 0);
    for _ in 0..ROUNDS {
        for (step, lock) in [
            ("waiting for the head", "SELECT FROM log_head FOR UPDATE"),
            ("copying the events", "LOCK TABLE events IN SHARE MODE"),
            ("moving the head", "LOCK TABLE log_head IN SHARE MODE"),
            ("committing", STOP),
        ] {
            let before = store.head().await.unwrap();
            let mut hold = Hold::of(url, lock).await;
            let unit = transfer("bank", "a", "1");
            let appending = tokio::spawn({
                let writer = writer.clone();
                async move { writer.append(unit).await }
            });
            for _ in 0..CUTS_A_ROUND {
                hold.cut("viral").await;
                cuts += 1;
                assert_eq!(store.head().await.unwrap(), before, "cut while {step}");
            }
            hold.release().await;
            let outcome = appending.await.unwrap().unwrap();
            assert!(matches!(outcome, Outcome::Appended(_)), "{step}: {outcome:?}");
            assert_eq!(outcome.events()[0].position, before.position.next(), "{step}");
            appended += 1;
        }
    }
    assert_eq!(cuts, ROUNDS * 4 * CUTS_A_ROUND);
    check(store, &writer, appended).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_append_whose_commit_was_not_answered_is_found() {
    let database = TestServer::shared().await.database().await;
    let (url, commits) = keeps_answers_of_commits(&database.app_url).await;
    let store = Arc::new(PostgresStore::connect(&url).await.unwrap());
    let writer = patient(store.clone()).await;
    for transfers in 1..=10 {
        let cut = commits.load(Ordering::Relaxed);
        let outcome = writer.append(transfer("bank", "a", "1")).await.unwrap();
        assert!(matches!(outcome, Outcome::Appended(_)), "{outcome:?}");
        assert_eq!(outcome.events()[0].position.0, 2 + transfers);
        assert_eq!(
            commits.load(Ordering::Relaxed),
            cut + 1,
            "one commit, and it was not answered"
        );
    }
    check(store, &writer, 10).await;
}

/// A way to the database that is cut before each answer to a commit. Answers its URL, and the count of those.
async fn keeps_answers_of_commits(url: &str) -> (String, Arc<AtomicU64>) {
    let (front, rest) = url.rsplit_once('@').unwrap();
    let (server, database) = rest.split_once('/').unwrap();
    let server: SocketAddr = server.parse().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("{front}@{}/{database}", listener.local_addr().unwrap());
    let commits = Arc::<AtomicU64>::default();
    let seen = commits.clone();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            tokio::spawn(pass(client, server, seen.clone()));
        }
    });
    (url, commits)
}

async fn pass(client: TcpStream, server: SocketAddr, commits: Arc<AtomicU64>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = TcpStream::connect(server).await.unwrap().into_split();
    let asking = tokio::io::copy(&mut from_client, &mut to_server);
    let answering = async {
        let (mut answer, mut tail) = (vec![0; 1 << 16], Vec::new());
        loop {
            let length = from_server.read(&mut answer).await.unwrap_or(0);
            if length == 0 {
                return;
            }
            // The tag of a completed command, which may come in two parts.
            tail.extend_from_slice(&answer[..length]);
            if tail.windows(TAG.len()).any(|part| part == TAG) {
                commits.fetch_add(1, Ordering::Relaxed);
                return;
            }
            tail.drain(..tail.len().saturating_sub(TAG.len() - 1));
            if to_client.write_all(&answer[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        _ = asking => {}
        () = answering => {}
    }
}
