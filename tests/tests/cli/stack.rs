//! `make stack`: the scripts that start Kafka and Redis without Docker, as their users call them, and how `viral` finds
//! what they start.

use serde_json::Value;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tempfile::TempDir;
use tokio::process::Command;
use viral_tests::component::{script, steady_port};
use viral_tests::kafka::Broker;
use viral_tests::process::{run, viral};

const TOPICS: &str = "org.apache.kafka.tools.TopicCommand";

/// A home whose Redis does not outlive the test.
struct Redis {
    home: TempDir,
    port: u16,
}

impl Redis {
    fn new() -> Redis {
        Redis {
            home: tempfile::tempdir().unwrap(),
            port: steady_port(),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Exit code, and everything that was said.
    async fn call(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(script("redis.sh"));
        command.args(arguments).env("VIRAL_HOME", self.home.path());
        command.env("REDIS_PORT", self.port.to_string()).stdin(Stdio::null());
        let (code, stdout, stderr) = run(command).await;
        (code, stdout + &stderr)
    }

    async fn says(&self, arguments: &[&str], code: i32, text: &str) {
        let (was, said) = self.call(arguments).await;
        assert_eq!(was, code, "redis.sh {arguments:?}: {said}");
        assert!(said.contains(text), "redis.sh {arguments:?}: {said}");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let mut command = std::process::Command::new(script("redis.sh"));
        let _ = command.arg("stop").env("VIRAL_HOME", self.home.path()).status();
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_starts_once_and_again_after_anything() {
    let redis = Redis::new();
    let service = redis.file("services/redis");
    let address = format!("redis://127.0.0.1:{}", redis.port);
    redis.says(&["status"], 1, "does not run").await;
    redis.says(&["wait"], 1, "does not run").await;
    redis.says(&["stop"], 0, "does not run").await;
    redis.says(&["begin"], 2, "usage").await;

    redis.says(&["start"], 0, &address).await;
    assert_eq!(read(&service), address);
    redis.says(&["status"], 0, &address).await;
    let pid = read(&redis.file("redis/pid"));
    redis.says(&["start"], 0, "runs already").await;
    assert_eq!(read(&redis.file("redis/pid")), pid);

    // Killed, its pid says nothing, not even where another program has got it.
    let killed = Command::new("kill").args(["-KILL", &pid]).status().await;
    assert!(killed.unwrap().success());
    std::fs::write(redis.file("redis/pid"), std::process::id().to_string()).unwrap();
    redis.says(&["status"], 1, "without having been stopped").await;
    redis.says(&["start"], 0, "starting anew").await;
    assert_ne!(read(&redis.file("redis/pid")), pid);

    redis.says(&["stop"], 0, "stopped").await;
    assert!(!service.exists() && !redis.file("redis/pid").exists());
    redis.says(&["stop"], 0, "does not run").await;

    // Somebody else has the port: nothing is started, and nothing is left that says so.
    let other = TcpListener::bind(("127.0.0.1", redis.port)).unwrap();
    redis.says(&["start"], 1, "is taken").await;
    redis.says(&["status"], 1, "does not run").await;
    assert!(!service.exists());
    drop(other);

    // A start that fails shows why.
    let manifest = redis.file("redis/appendonlydir/appendonly.aof.manifest");
    let good = std::fs::read(&manifest).unwrap();
    std::fs::write(&manifest, "nonsense\n").unwrap();
    redis.says(&["start"], 1, "the end of").await;
    std::fs::write(&manifest, good).unwrap();
    redis.says(&["start", "--no-wait"], 0, "").await;
    redis.says(&["wait"], 0, &address).await;
    assert_eq!(read(&service), address);

    // `viral doctor` finds it here, and the environment has the last word.
    let doctor = async |url: Option<&str>| {
        let mut command = viral(redis.home.path(), &["doctor", "--json"]);
        if let Some(url) = url {
            command.env("REDIS_URL", url);
        }
        let report: Value = serde_json::from_str(&run(command).await.1).unwrap();
        report
    };
    let report = doctor(None).await;
    assert_eq!(report["services"]["redis"]["state"], "reachable", "{report}");
    assert_eq!(report["services"]["redis"]["address"], *address, "{report}");
    let report = doctor(Some("")).await;
    assert_eq!(report["services"]["redis"]["state"], "not_configured", "{report}");
    let report = doctor(Some(&format!("redis://:secret@127.0.0.1:{}", steady_port()))).await;
    assert_eq!(report["services"]["redis"]["state"], "unreachable", "{report}");
    let text = report.to_string();
    assert!(
        text.contains("Redis at redis://:***@") && !text.contains("secret"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_keeps_its_topics_through_kill_and_stop() {
    let broker = Broker::start().await;
    let service = broker.home().join("services/kafka");
    assert_eq!(read(&service), broker.brokers());
    assert_eq!(viral::services::kafka_brokers(broker.home()), Some(broker.brokers()));
    let create = ["--create", "--topic", "kept", "--partitions", "3"];
    broker.tool(TOPICS, &create).await;
    let cluster = read(&broker.home().join("kafka/data/meta.properties"));

    broker.kill().await;
    broker.restart().await;
    broker.stop().await;
    assert!(!service.exists());
    broker.restart().await;
    assert_eq!(read(&broker.home().join("kafka/data/meta.properties")), cluster);
    let topics = broker.tool(TOPICS, &["--list"]).await;
    assert_eq!(topics.lines().collect::<Vec<_>>(), ["kept"]);
    let described = broker.tool(TOPICS, &["--describe", "--topic", "kept"]).await;
    assert!(described.contains("PartitionCount: 3"), "{described}");
}

/// Two places say how Kafka is set up: for a bare machine, and for containers.
#[test]
fn containers_have_the_settings_of_the_scripts() {
    let settings = std::fs::read_to_string(script("kafka/server.properties")).unwrap();
    let compose = std::fs::read_to_string(script("../compose.yaml")).unwrap();
    // Where it listens and keeps its data differs.
    let differs = |key: &str| key.contains("listener") || key.starts_with("controller.quorum") || key == "log.dirs";
    let mut compared = 0;
    for (key, value) in settings.lines().filter_map(|line| line.split_once('=')) {
        if key.starts_with('#') || differs(key) {
            continue;
        }
        let variable = format!("KAFKA_{}: ", key.to_uppercase().replace('.', "_"));
        let line = compose.lines().find_map(|line| line.trim().strip_prefix(&variable));
        assert_eq!(line.map(|value| value.trim_matches('"')), Some(value), "{variable}");
        compared += 1;
    }
    assert!(compared > 12, "{compared}");
    let pom = std::fs::read_to_string(script("kafka/pom.xml")).unwrap();
    let version = pom.split_once("<kafka.version>").unwrap().1.split('<').next().unwrap();
    assert!(
        compose.contains(&format!("image: apache/kafka:{version}\n")),
        "{version}"
    );
}
