//! The door of a process: more clients than it has files for, and a database that comes later than the process.

use serde_json::json;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use viral_tests::process::{Api, Background, Platform, TOKEN, binary, free_port, viral};
use viral_tests::server::TestServer;

/// Where nothing can be written, whoever tries.
const READ_ONLY: &str = "/proc/viral";
const MASTER_KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";

/// Connections that say nothing, more than the process may have files.
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_do_not_shut_others_out() {
    let database = TestServer::shared().await.database().await;
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let limited = "ulimit -n 256; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command
        .args(["-c", limited])
        .arg(binary())
        .args(["api", "--dev", "--listen", &format!("127.0.0.1:{port}")])
        .env("VIRAL_HOME", folder.path().join(".viral"))
        .env("DATABASE_URL", &database.superuser_url)
        .env("VIRAL_API_TOKEN", TOKEN)
        .env("VIRAL_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    for elsewhere in ["KAFKA_BROKERS", "REDIS_URL", "CLICKHOUSE_URL", "EVENT_STORE"] {
        command.env_remove(elsewhere);
    }
    let platform = Platform::started(command, port).await;
    let mut silent = Vec::new();
    for _ in 0..400 {
        silent.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    let body = json!({"account": "shop:till", "asset": "VCOIN"});
    platform.client.posted("/v1/ledger/accounts", "k1", &body).await;
    assert!(Api::new(port).is_ready().await, "a client that comes now is answered");
    platform.stop().await;
}

/// What is set in the environment need not be written down, and the database may come up last.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_waits_for_its_database_in_a_home_that_cannot_be_written_to() {
    let server = TestServer::shared().await;
    let database = server.database().await;
    let (port, database_port) = (free_port(), free_port());
    let real = format!(":{}/", server.postgres.port());
    let url = database.superuser_url.replace(&real, &format!(":{database_port}/"));
    let home = std::path::Path::new(READ_ONLY);
    let mut api = viral(home, &["api", "--listen", &format!("127.0.0.1:{port}")]);
    let mut work = viral(home, &["work"]);
    for command in [&mut api, &mut work] {
        command.env("DATABASE_URL", &url).env("VIRAL_API_TOKEN", TOKEN);
        command.env("VIRAL_MASTER_KEY", MASTER_KEY).stdout(Stdio::null());
    }
    let (api, work) = (Background::started(api), Background::started(work));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let call = async |path: &str| {
        let answer = client.get(format!("http://127.0.0.1:{port}{path}")).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.unwrap_or_default()))
    };
    let until = async |path: &str, expected: u16| {
        let look = async {
            loop {
                match call(path).await {
                    Some((status, body)) if status == expected => return body,
                    _ => tokio::time::sleep(Duration::from_millis(10)).await,
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(120), look).await.unwrap()
    };
    until("/healthz", 200).await;
    let body = until("/readyz", 503).await;
    assert!(body.contains("\"not_ready\""), "{body}");

    let listener = TcpListener::bind(("127.0.0.1", database_port)).await.unwrap();
    let to = server.postgres.port();
    let forward = tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                let _ = copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    until("/readyz", 200).await;
    let body = json!({"account": "shop:till", "asset": "VCOIN"});
    Api::new(port).posted("/v1/ledger/accounts", "k1", &body).await;
    // Both end in an orderly way, so the workers have waited as well.
    api.stop().await;
    work.stop().await;
    forward.abort();
}
