//! Over a socket: what was accepted is answered after the stop, and the server ends.

use crate::support::{Api, TOKEN};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use viral_api::Limits;

#[tokio::test]
async fn a_stop_answers_what_is_under_way_and_takes_nothing_more() {
    let api = Api::with_money().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(viral_api::serve(listener, api.state.clone(), async {
        let _ = stopped.await;
    }));

    // It is under way once the server asks for its body.
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /v1/ledger/accounts/bob/freeze HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
         Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    connection.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stop.send(()).unwrap();
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!server.is_finished());

    connection.write_all(b"{}").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"status\":\"frozen\""), "{answer}");
    server.await.unwrap();

    // The API has let go of the writer, so that its task can end.
    let after = api.transfer("bank", "alice", "1").await;
    assert_eq!(after.problem(), (503, "stopping".to_owned()));
    assert_eq!(api.get("/readyz").await.problem(), (503, "stopping".to_owned()));
    assert_eq!(api.get("/healthz").await.status, 200);
}

/// A ledger with money, served within limits until it is told to stop.
async fn served(limits: Limits) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let state = Api::with_money().await.state.clone().with_limits(limits);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(viral_api::serve(listener, state, async {
        let _ = stopped.await;
    }));
    (address, stop, server)
}

/// What a client sends that never ends its body.
fn half_a_body(key: &str) -> String {
    format!(
        "POST /v1/ledger/accounts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
         Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    )
}

#[tokio::test]
async fn bodies_that_do_not_come_take_no_place_from_others() {
    let (address, stop, server) = served(Limits {
        writes: 1,
        queue: 1,
        ..Limits::default()
    })
    .await;
    let mut slow = Vec::new();
    for n in 0..3 {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection
            .write_all(half_a_body(&format!("slow-{n}")).as_bytes())
            .await
            .unwrap();
        slow.push(connection);
    }
    let body = r#"{"account":"shop","asset":"VCOIN"}"#;
    let length = body.len();
    let request = format!(
        "POST /v1/ledger/accounts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
         Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    drop(slow);
    stop.send(()).unwrap();
    server.await.unwrap();
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let (address, stop, server) = served(Limits {
        body: Duration::from_millis(50),
        ..Limits::default()
    })
    .await;
    let mut connection = TcpStream::connect(address).await.unwrap();
    connection.write_all(half_a_body("k").as_bytes()).await.unwrap();
    let mut answer = String::new();
    // What follows could be another request or the rest of this one: the connection is closed.
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("\"code\":\"body_timeout\""), "{answer}");
    stop.send(()).unwrap();
    server.await.unwrap();
}
