//! A full disk: a file system in memory with little room, under the database.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use viral_commands::{AppendError, Settings, Writer};
use viral_store::{EventStore, StoreError};
use viral_tests::samples::{address, open, transfer};
use viral_tests::server::TestServer;

/// A small file system, unmounted when dropped.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None where mounting is not allowed.
    pub fn mount(folder: &Path, megabytes: u32) -> Option<SmallDisk> {
        let size = format!("size={megabytes}m,mode=755");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder)
            .output();
        mount
            .is_ok_and(|output| output.status.success())
            .then(|| SmallDisk(folder.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may be about to end.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_a_clear_error_and_the_start_after_it_is_clean() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(folder.path(), 200) else {
        println!("not run: mounting a small file system needs root");
        return;
    };
    // What is freed later, as an operator would free something.
    let ballast = folder.path().join("ballast");
    let server = TestServer::start_in(folder.path()).await;
    let database = server.database().await;
    let store: Arc<dyn EventStore> = database.store().await;
    let settings = Settings {
        patience: Duration::from_secs(2),
        ..Settings::default()
    };
    let (writer, _task) = Writer::start(store.clone(), settings).await.unwrap();
    for account in ["bank", "a"] {
        writer.append(open(account, true)).await.unwrap();
    }
    // Leave a few megabytes, then write until it is full.
    fill(&ballast, 6);
    let mut acknowledged: i128 = 0;
    let mut unknown = Vec::new();
    let error = 'full: loop {
        assert!(acknowledged < 1_000_000, "the disk never filled up");
        let units: Vec<_> = (0..200).map(|_| transfer("bank", "a", "1")).collect();
        let outcomes = writer.append_all(units.clone()).await;
        for (unit, outcome) in units.into_iter().zip(outcomes) {
            match outcome {
                Ok(_) => acknowledged += 1,
                Err(error) => {
                    unknown.push(unit);
                    if unknown.len() == 200 {
                        break 'full error;
                    }
                }
            }
        }
    };
    println!("after {acknowledged} transfers: {error}");
    assert!(error.is_retryable(), "{error}");
    // Either the statement was refused for lack of space, or the server itself went down for lack of it.
    let says_so = match &error {
        AppendError::Unavailable(StoreError::StorageFull(message)) => message.contains("space"),
        AppendError::Unavailable(StoreError::Unavailable(_)) => std::fs::read_to_string(server.postgres.log_file())
            .unwrap()
            .contains("No space left on device"),
        _ => false,
    };
    assert!(says_so, "{error}");

    std::fs::remove_file(&ballast).unwrap();
    server.postgres.restart().await.unwrap();
    // The same units again, by the same writer: each ends once.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    for unit in unknown {
        while let Err(error) = writer.append(unit.clone()).await {
            assert!(
                error.is_retryable() && tokio::time::Instant::now() < deadline,
                "{error}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
            // It may have been ending for want of space while it was looked at; `viral up` looks at it every second.
            server.postgres.restart().await.unwrap();
        }
        acknowledged += 1;
    }
    let (fresh, _task) = Writer::start(database.store().await, Settings::default())
        .await
        .unwrap();
    for writer in [&writer, &fresh] {
        let balance = writer
            .read(|book, _| book.account(&address("a")).map(|a| a.balance()))
            .await
            .unwrap();
        assert_eq!(balance, Some(acknowledged * 10_000));
    }
    let report = viral_audit::verify(&store, &viral_audit::Silent).await.unwrap();
    assert!(report.holds, "{:?}", report.first_bad);
}

/// Fills the disk but for some megabytes.
fn fill(ballast: &Path, leave: u64) {
    let output = Command::new("df")
        .args(["-B1", "--output=avail"])
        .arg(ballast.parent().unwrap())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let available: u64 = text.lines().nth(1).unwrap().trim().parse().unwrap();
    let size = available.saturating_sub(leave * 1_048_576).to_string();
    let status = Command::new("fallocate")
        .args(["-l", &size])
        .arg(ballast)
        .status()
        .unwrap();
    assert!(status.success());
}
