//! Processes of the real binary, as a user would start them.

pub use crate::component::steady_port as free_port;

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;
use uuid::Uuid;

/// The token that the processes of the tests accept.
pub const TOKEN: &str = "a-token-of-the-tests-0123456789";

/// The binary that was built with the tests.
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().and_then(Path::parent).unwrap().join("viral");
    assert!(
        path.is_file(),
        "{} is missing: build the workspace first (make test does)",
        path.display()
    );
    path
}

/// `viral` with these arguments, in a home of its own.
pub fn viral(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(arguments)
        .env("VIRAL_HOME", home)
        .env_remove("DATABASE_URL")
        .env_remove("KAFKA_BROKERS")
        .env_remove("REDIS_URL")
        .env_remove("CLICKHOUSE_URL")
        .env_remove("EVENT_STORE")
        .env("VIRAL_LOG", "warn");
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs `viral` to its end; answers exit code, standard output and standard error.
pub async fn run(mut command: Command) -> (i32, String, String) {
    let output = command.output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Runs somebody else's program to its end, which must be a good one; answers standard output, or nothing where the
/// program is not installed.
pub async fn tool(program: &str, arguments: &[&str], folder: &Path) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().await;
    let output = output.ok()?;
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {problem}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// A running `viral up`.
#[derive(Debug)]
pub struct Platform {
    child: Child,
    /// Where it answers.
    pub client: Api,
}

impl Platform {
    /// Starts one on a port and waits until it is ready. With no database URL it has an embedded server in its home.
    pub async fn start(home: &Path, port: u16, database_url: Option<&str>) -> Platform {
        Platform::started(Platform::command("up", home, port, database_url), port).await
    }

    /// The command of a role that answers HTTP: `up` or `api`.
    pub fn command(role: &str, home: &Path, port: u16, database_url: Option<&str>) -> Command {
        let mut command = viral(home, &[role, "--dev", "--listen", &format!("127.0.0.1:{port}")]);
        command.env("VIRAL_API_TOKEN", TOKEN).stdout(Stdio::null());
        if let Some(url) = database_url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Starts a command that listens on this port, and waits until it is ready.
    pub async fn started(mut command: Command, port: u16) -> Platform {
        let mut child = command.spawn().unwrap();
        let client = Api::new(port);
        let deadline = Instant::now() + Duration::from_secs(180);
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                panic!("viral ended at once: {status}");
            }
            if client.is_ready().await {
                return Platform { child, client };
            }
            assert!(Instant::now() < deadline, "viral is not ready after 180 s");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// kill -9.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, then waits for the end; it must be a clean one.
    pub async fn stop(self) {
        stop(self.child).await;
    }
}

/// A running role that does not answer HTTP: `project` or `work`.
#[derive(Debug)]
pub struct Background {
    child: Child,
}

impl Background {
    /// Starts one over a database. It says nothing when it is ready: what it does shows.
    pub fn start(home: &Path, arguments: &[&str], database_url: &str) -> Background {
        let mut command = viral(home, arguments);
        command.env("DATABASE_URL", database_url).stdout(Stdio::null());
        Background::started(command)
    }

    /// Starts a command.
    pub fn started(mut command: Command) -> Background {
        Background {
            child: command.spawn().unwrap(),
        }
    }

    /// kill -9. It must have been alive.
    pub async fn kill(mut self) {
        assert!(self.child.try_wait().unwrap().is_none(), "the process ended by itself");
        self.child.kill().await.unwrap();
    }

    /// SIGTERM, then waits for the end; it must be a clean one.
    pub async fn stop(self) {
        stop(self.child).await;
    }
}

async fn stop(mut child: Child) {
    let pid = child.id().expect("the process runs").to_string();
    let signalled = Command::new("kill").args(["-TERM", &pid]).status().await;
    assert!(signalled.unwrap().success());
    let ended = tokio::time::timeout(Duration::from_secs(120), child.wait()).await;
    assert!(ended.unwrap().unwrap().success());
}

/// The API over HTTP.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: String,
}

/// What is asked of the API. Sent twice, it is the same request.
#[derive(Debug, Clone)]
pub struct Call {
    /// How.
    pub method: Method,
    /// Where.
    pub path: String,
    /// Its idempotency key, unless it only reads.
    pub key: String,
    /// Its body, unless it only reads.
    pub body: Value,
}

impl Call {
    /// POST with a key of its own.
    pub fn post(path: impl Into<String>, body: Value) -> Call {
        let (method, path, key) = (Method::POST, path.into(), Uuid::now_v7().to_string());
        Call {
            method,
            path,
            key,
            body,
        }
    }

    /// GET.
    pub fn get(path: impl Into<String>) -> Call {
        Call {
            method: Method::GET,
            path: path.into(),
            key: String::new(),
            body: Value::Null,
        }
    }
}

/// What an answer says.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, if it is JSON.
    pub body: Value,
    /// The body as it was sent.
    pub text: String,
    /// Whether it is that of an earlier request with the same key.
    pub replayed: bool,
}

impl Api {
    /// At a port of this machine.
    pub fn new(port: u16) -> Api {
        // A provider for TLS must be there though nothing here uses TLS; a second installation is refused, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Api {
            client: Client::builder()
                .timeout(Duration::from_secs(40))
                .no_proxy()
                .build()
                .unwrap(),
            base: format!("http://127.0.0.1:{port}"),
        }
    }

    /// Whether `/readyz` says so.
    pub async fn is_ready(&self) -> bool {
        let answer = self.client.get(format!("{}/readyz", self.base)).send().await;
        answer.is_ok_and(|answer| answer.status() == StatusCode::OK)
    }

    /// GET, with the token.
    pub async fn get(&self, path: &str) -> Answer {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(TOKEN);
        Answer::of(request.send().await.unwrap()).await.unwrap()
    }

    /// Anything, by anybody. No answer is an error.
    pub async fn send(&self, token: &str, call: &Call) -> Result<Answer, reqwest::Error> {
        let url = format!("{}{}", self.base, call.path);
        let mut request = self.client.request(call.method.clone(), url).bearer_auth(token);
        if call.method != Method::GET {
            request = request.header("Idempotency-Key", &call.key).json(&call.body);
        }
        Answer::of(request.send().await?).await
    }

    /// POST with an idempotency key. No answer is an error; it is unknown then what happened.
    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Answer, reqwest::Error> {
        let request = self.client.post(format!("{}{path}", self.base)).bearer_auth(TOKEN);
        Answer::of(request.header("Idempotency-Key", key).json(body).send().await?).await
    }

    /// POST that must be accepted.
    pub async fn posted(&self, path: &str, key: &str, body: &Value) -> Value {
        let answer = self.post(path, key, body).await.unwrap();
        assert!(answer.status.is_success(), "{path} {body}: {answer:?}");
        answer.body
    }
}

impl Answer {
    async fn of(response: reqwest::Response) -> Result<Answer, reqwest::Error> {
        let status = response.status();
        let replayed = response
            .headers()
            .get("Idempotent-Replayed")
            .is_some_and(|it| it == "true");
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer {
            status,
            body,
            text,
            replayed,
        })
    }
}
