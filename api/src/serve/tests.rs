use super::*;
use axum::routing::{get, post};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer means that it hangs.
const HANGS: Duration = Duration::from_secs(60);
/// So long that no test waits for it.
const NEVER: Duration = Duration::from_secs(3_600);
const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn patient() -> Limits {
    Limits {
        header: NEVER,
        idle: NEVER,
        body: NEVER,
        write: NEVER,
        ..Limits::default()
    }
}

struct Served {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

impl Served {
    async fn start(routes: Router, limits: Limits) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async {
            let _ = stopped.await;
        };
        let server = tokio::spawn(serve_routes(listener, routes, limits, shutdown));
        let stop = Some(stop);
        Served { address, stop, server }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        tokio::time::timeout(HANGS, self.server).await.unwrap().unwrap();
    }
}

/// Sends a request and reads the head of its answer and the body `ok`.
async fn ask(connection: &mut TcpStream) {
    connection.write_all(GET.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"ok") {
        let mut byte = [0];
        let read = tokio::time::timeout(HANGS, connection.read_exact(&mut byte)).await;
        read.unwrap().unwrap();
        answer.push(byte[0]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
}

/// Waits until the other side has closed the connection; what it said before.
async fn closed(connection: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let end = tokio::time::timeout(HANGS, connection.read_to_end(&mut said)).await;
    // A connection that is cut while there is something to read ends with an error.
    let _ = end.unwrap();
    String::from_utf8_lossy(&said).into_owned()
}

fn ok() -> Router {
    Router::new().route("/", get(async || "ok"))
}

#[tokio::test]
async fn a_client_that_says_nothing_or_half_of_it_is_not_waited_for() {
    let limits = Limits {
        header: Duration::from_millis(50),
        ..patient()
    };
    let served = Served::start(ok(), limits).await;
    let (mut silent, mut slow) = (served.connect().await, served.connect().await);
    slow.write_all(&GET.as_bytes()[..20]).await.unwrap();
    assert_eq!(closed(&mut silent).await, "");
    assert_eq!(closed(&mut slow).await, "");
    // Between two requests there is more time, but not within the second one.
    let mut second = served.connect().await;
    ask(&mut second).await;
    second.write_all(&GET.as_bytes()[..20]).await.unwrap();
    assert_eq!(closed(&mut second).await, "");
    served.stop().await;
}

#[tokio::test]
async fn a_connection_without_requests_is_closed() {
    let limits = Limits {
        idle: Duration::from_millis(50),
        ..patient()
    };
    let served = Served::start(ok(), limits).await;
    let mut connection = served.connect().await;
    ask(&mut connection).await;
    assert_eq!(closed(&mut connection).await, "");
    served.stop().await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_given_up() {
    let limits = Limits {
        write: Duration::from_millis(50),
        ..patient()
    };
    let much = Router::new().route("/", get(async || vec![b'x'; 32 * 1024 * 1024]));
    let served = Served::start(much, limits).await;
    let mut connection = served.connect().await;
    connection.write_all(GET.as_bytes()).await.unwrap();
    // It has begun to answer. Nothing more is read until it has given up.
    connection.read_u8().await.unwrap();
    let began = Instant::now();
    served.stop().await;
    assert!(began.elapsed() < GRACE, "only the stop has given it up");
    let read = closed(&mut connection).await.len();
    assert!(read < 32 * 1024 * 1024, "{read}");
}

#[tokio::test]
async fn more_connections_than_allowed_do_not_keep_a_client_from_its_answer() {
    let limits = Limits {
        connections: 4,
        ..patient()
    };
    let served = Served::start(ok(), limits).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(served.connect().await);
    }
    let mut slow = served.connect().await;
    slow.write_all(&GET.as_bytes()[..20]).await.unwrap();
    ask(&mut served.connect().await).await;
    // The oldest went first.
    for connection in &mut silent[..16] {
        assert_eq!(closed(connection).await, "");
    }
    served.stop().await;
}

#[tokio::test]
async fn connections_with_a_request_are_not_closed_for_others() {
    let limits = Limits {
        connections: 2,
        ..patient()
    };
    let (go_on, wait) = tokio::sync::watch::channel(false);
    let (asked, mut is_asked) = tokio::sync::watch::channel(0);
    let route = get(move || {
        let mut wait = wait.clone();
        asked.send_modify(|asked| *asked += 1);
        async move {
            wait.wait_for(|go_on| *go_on).await.unwrap();
            "ok"
        }
    });
    let served = Served::start(Router::new().route("/", route), limits).await;
    let (mut one, mut other) = (served.connect().await, served.connect().await);
    let third = async {
        is_asked.wait_for(|asked| *asked == 2).await.unwrap();
        let mut third = served.connect().await;
        go_on.send_replace(true);
        ask(&mut third).await;
    };
    tokio::join!(ask(&mut one), ask(&mut other), third);
    served.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_keeps_nobody_out() {
    let limits = Limits {
        connections: 2,
        ..patient()
    };
    let routes = ok().route("/body", post(async |body: String| body));
    let served = Served::start(routes, limits).await;
    let mut slow = Vec::new();
    for _ in 0..4 {
        let mut connection = served.connect().await;
        let request = "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf";
        connection.write_all(request.as_bytes()).await.unwrap();
        slow.push(connection);
    }
    ask(&mut served.connect().await).await;
    for connection in &mut slow[..3] {
        assert_eq!(closed(connection).await, "");
    }
    drop(slow);
    served.stop().await;
}

#[tokio::test]
async fn a_request_that_hangs_does_not_hold_up_the_stop() {
    let (asked, mut is_asked) = tokio::sync::watch::channel(false);
    let hang = post(move || {
        asked.send_replace(true);
        std::future::pending::<&'static str>()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connection = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    connection.write_all(request).await.unwrap();
    let mut door = Door::new(Router::new().route("/", hang), patient());
    let shutdown = async {
        is_asked.wait_for(|asked| *asked).await.unwrap();
    };
    door.admit_until(&listener, shutdown).await;
    let close = door.close(Duration::from_millis(50));
    tokio::time::timeout(HANGS, close).await.unwrap();
    assert_eq!(closed(&mut connection).await, "");
}

#[tokio::test]
async fn half_a_request_does_not_hold_up_the_stop() {
    let served = Served::start(ok(), patient()).await;
    let (mut half, mut idle) = (served.connect().await, served.connect().await);
    half.write_all(&GET.as_bytes()[..20]).await.unwrap();
    ask(&mut idle).await;
    served.stop().await;
    assert_eq!(closed(&mut half).await, "");
    assert_eq!(closed(&mut idle).await, "");
}

#[tokio::test]
async fn a_process_that_starts_is_up_and_not_ready() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ready, is_ready) = oneshot::channel::<()>();
    let wait = async {
        let _ = is_ready.await;
    };
    let calls = async {
        let call = async |path: &str| {
            let mut connection = TcpStream::connect(address).await.unwrap();
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: r1\r\nConnection: close\r\n\r\n");
            connection.write_all(request.as_bytes()).await.unwrap();
            closed(&mut connection).await
        };
        let health = call("/healthz").await;
        assert!(health.starts_with("HTTP/1.1 200 OK\r\n"), "{health}");
        for path in ["/readyz", "/v1/wallets/me", "/nothing"] {
            let answer = call(path).await;
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
            assert!(
                answer.contains("\"code\":\"not_ready\",\"request_id\":\"r1\""),
                "{answer}"
            );
        }
        ready.send(()).unwrap();
    };
    tokio::join!(serve_not_ready(&listener, Limits::default(), wait), calls);
    // The socket goes on for whoever serves it next.
    drop(TcpStream::connect(address).await.unwrap());
}
