use super::{Address, RedisError};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A real server that ends with the test.
struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    /// Nothing where Redis is not installed; a build machine has it.
    async fn start(password: &str) -> Option<Server> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""])
            .args(["--requirepass", password])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn();
        let Ok(child) = child else {
            assert!(std::env::var_os("CI").is_none(), "redis-server is not installed");
            eprintln!("skipped: redis-server is not installed");
            return None;
        };
        let server = Server {
            child,
            port,
            _folder: folder,
        };
        let deadline = Instant::now() + Duration::from_secs(120);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Some(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn version(url: &str) -> Result<String, RedisError> {
    Address::parse(url)?.version().await
}

/// Accepts one connection after the other, and says this to each.
async fn says(text: &'static str) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, text.as_bytes()).await;
            open.push(stream);
        }
    });
    port
}

#[test]
fn an_address_is_shown_without_its_password() {
    let shown = |url: &str| Address::parse(url).map(|address| address.without_password());
    for (url, expected) in [
        ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
        ("redis://somewhere", "redis://somewhere:6379"),
        ("redis://[::1]:7000/3", "redis://[::1]:7000/3"),
        ("redis://:secret@somewhere:1/0", "redis://:***@somewhere:1/0"),
        ("redis://me:s%40cret@somewhere", "redis://me:***@somewhere:6379"),
    ] {
        assert_eq!(shown(url).unwrap(), expected);
    }
    for url in [
        "",
        "127.0.0.1:6379",
        "redis://",
        "redis://a/b",
        "redis://me:%f@a",
        "rediss://a",
    ] {
        let error = shown(url).unwrap_err().to_string();
        assert!(error.contains("redis://"), "{url}: {error}");
    }
    assert_eq!(Address::parse("redis://me:s%40%25@a").unwrap().password, "s@%");
}

#[tokio::test]
async fn a_real_server_tells_its_version() {
    let password = "pass word@1";
    let Some(mut server) = Server::start(password).await else {
        return;
    };
    let host = format!("127.0.0.1:{}", server.port);
    for url in [
        format!("redis://:pass%20word%401@{host}"),
        format!("redis://default:pass%20word%401@{host}/1"),
    ] {
        let version = version(&url).await.unwrap();
        assert!(version.split('.').count() >= 2, "{version}");
    }
    for (url, why) in [
        (format!("redis://{host}"), "NOAUTH"),
        (format!("redis://:wrong@{host}"), "WRONGPASS"),
        (format!("redis://:pass%20word%401@{host}/99"), "SELECT"),
    ] {
        let error = version(&url).await.unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(!error.contains("wrong") && !error.contains("pass word"), "{error}");
    }
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert!(matches!(
        version(&format!("redis://{host}")).await,
        Err(RedisError::Io(_))
    ));
}

#[tokio::test]
async fn others_are_not_taken_for_redis() {
    for answer in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "$99999999\r\n",
        "+HELLO\r\n",
        "\r\n",
        "$-1\r\n",
        "+PONG\r\n$3\r\nabc\r\n",
    ] {
        let port = says(answer).await;
        let error = version(&format!("redis://127.0.0.1:{port}")).await.unwrap_err();
        assert!(matches!(error, RedisError::Foreign), "{answer:?}: {error}");
    }
    let port = says("").await;
    let began = Instant::now();
    let error = version(&format!("redis://127.0.0.1:{port}")).await.unwrap_err();
    assert!(matches!(error, RedisError::Silent), "{error}");
    // Longer means that it waits for ever.
    assert!(began.elapsed() < Duration::from_secs(60));
}
