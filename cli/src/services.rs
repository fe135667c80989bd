//! What runs beside the platform, and where: named by the environment, or found by the files that `make stack` writes.
//!
//! `<home>/services/<name>` is there while a component of the stack runs, and holds its address. A variable that is set
//! wins; set to nothing, it means that there is none, on purpose, whatever runs.

use std::path::Path;

/// Kafka's brokers, as `host:port,…`: `KAFKA_BROKERS`, or those of the stack. Nothing: there is no Kafka.
pub fn kafka_brokers(home: &Path) -> Option<String> {
    address(std::env::var("KAFKA_BROKERS").ok(), home, "kafka")
}

/// Redis, as `redis://…`: `REDIS_URL`, or that of the stack. It may contain a password.
pub fn redis_url(home: &Path) -> Option<String> {
    address(std::env::var("REDIS_URL").ok(), home, "redis")
}

/// ClickHouse, as `http://…`: `CLICKHOUSE_URL`, or that of the stack. It may contain a password.
pub fn clickhouse_url(home: &Path) -> Option<String> {
    address(std::env::var("CLICKHOUSE_URL").ok(), home, "clickhouse")
}

fn address(from_env: Option<String>, home: &Path, name: &str) -> Option<String> {
    let text = match from_env {
        Some(text) => text,
        None => file(home, name)?,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn file(home: &Path, name: &str) -> Option<String> {
    let path = home.join("services").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(%error, "{} cannot be read; going on without {name}", path.display());
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn the_environment_wins_and_may_say_none() {
        let home = tempfile::tempdir().unwrap();
        let of = |from_env: Option<&str>| address(from_env.map(str::to_owned), home.path(), "kafka");
        assert_eq!(of(None), None);
        assert_eq!(of(Some("broker:1")).as_deref(), Some("broker:1"));
        std::fs::create_dir(home.path().join("services")).unwrap();
        std::fs::write(home.path().join("services/kafka"), "127.0.0.1:9092\n").unwrap();
        assert_eq!(of(None).as_deref(), Some("127.0.0.1:9092"));
        assert_eq!(of(Some("broker:1")).as_deref(), Some("broker:1"));
        assert_eq!(of(Some("")), None);
        std::fs::write(home.path().join("services/kafka"), "\n").unwrap();
        assert_eq!(of(None), None);
    }
}
