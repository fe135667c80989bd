//! How much a process takes on at once, as the command line and the environment say it.

use clap::Args;
use nix::sys::resource::{Resource, getrlimit};
use std::time::Duration;
use viral_api::Limits;

/// Files that are left to everything but connections: the database, logs, brokers.
const RESERVE: u64 = 64;
/// The most connections where nothing is said: each takes some memory, however many files there may be.
const CONNECTIONS: u64 = 10_000;

/// What the API takes on at once, and how long it waits for its clients.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits of HTTP")]
pub struct LimitArgs {
    /// Seconds in which the headers of a request must come
    #[arg(long, env = "VIRAL_HTTP_HEADER_TIMEOUT", value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub http_header_timeout: Duration,
    /// Seconds that a connection stays open between two requests
    #[arg(long, env = "VIRAL_HTTP_IDLE_TIMEOUT", value_name = "SECONDS", default_value = "75", value_parser = seconds)]
    pub http_idle_timeout: Duration,
    /// Seconds in which the body of a request must come
    #[arg(long, env = "VIRAL_HTTP_BODY_TIMEOUT", value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub http_body_timeout: Duration,
    /// Seconds in which a client must take some of the answer that is sent to it
    #[arg(long, env = "VIRAL_HTTP_WRITE_TIMEOUT", value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub http_write_timeout: Duration,
    /// Connections that are open at once [default: 80 % of the files that the process may open, less 64; at most 10000]
    #[arg(long, env = "VIRAL_HTTP_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub http_connections: Option<u32>,
    /// Reads that are worked on at once
    #[arg(long, env = "VIRAL_HTTP_READS", value_name = "N", default_value_t = LimitArgs::default().http_reads, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub http_reads: u32,
    /// Other requests that are worked on at once
    #[arg(long, env = "VIRAL_HTTP_WRITES", value_name = "N", default_value_t = LimitArgs::default().http_writes, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub http_writes: u32,
    /// Reads, and other requests, that wait for that; further ones are refused with 503
    #[arg(long, env = "VIRAL_HTTP_QUEUE", value_name = "N", default_value_t = LimitArgs::default().http_queue, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub http_queue: u32,
}

/// How many connections to PostgreSQL a process has.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Connections to PostgreSQL")]
pub struct DatabaseArgs {
    /// For requests that append, beside the one that does it
    #[arg(long, env = "VIRAL_DATABASE_APPENDS", value_name = "N", default_value_t = DatabaseArgs::default().database_appends, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_appends: u32,
    /// For requests that read
    #[arg(long, env = "VIRAL_DATABASE_READS", value_name = "N", default_value_t = DatabaseArgs::default().database_reads, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_reads: u32,
    /// For what goes on beside requests: following the log, workers, metrics
    #[arg(long, env = "VIRAL_DATABASE_BACKGROUND", value_name = "N", default_value_t = DatabaseArgs::default().database_background, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub database_background: u32,
}

impl Default for LimitArgs {
    fn default() -> LimitArgs {
        let Limits {
            header,
            idle,
            body,
            write,
            reads,
            writes,
            queue,
            ..
        } = Limits::default();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        LimitArgs {
            http_header_timeout: header,
            http_idle_timeout: idle,
            http_body_timeout: body,
            http_write_timeout: write,
            http_connections: None,
            http_reads: count(reads),
            http_writes: count(writes),
            http_queue: count(queue),
        }
    }
}

impl Default for DatabaseArgs {
    fn default() -> DatabaseArgs {
        DatabaseArgs {
            database_appends: 3,
            database_reads: 4,
            database_background: 3,
        }
    }
}

impl LimitArgs {
    /// The limits of this process.
    pub(crate) fn limits(&self) -> Limits {
        let count = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        Limits {
            header: self.http_header_timeout,
            idle: self.http_idle_timeout,
            body: self.http_body_timeout,
            write: self.http_write_timeout,
            connections: match self.http_connections {
                Some(connections) => count(connections),
                None => connections(files()),
            },
            reads: count(self.http_reads),
            writes: count(self.http_writes),
            queue: count(self.http_queue),
        }
    }
}

/// How many files this process may open.
fn files() -> u64 {
    // It cannot fail for this resource; 1024 is what most systems begin with.
    getrlimit(Resource::RLIMIT_NOFILE).map_or(1_024, |(files, _)| files)
}

fn connections(files: u64) -> usize {
    let connections = (files / 5 * 4).saturating_sub(RESERVE).clamp(16, CONNECTIONS);
    usize::try_from(connections).unwrap_or(usize::MAX)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse::<f64>()
        .ok()
        .filter(|seconds| (0.001..=86_400.0).contains(seconds));
    let seconds = seconds.ok_or("write seconds such as 30 or 0.5, at most 86400")?;
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::Parser as _;

    #[test]
    fn connections_leave_files_to_the_others() {
        let files = [64, 256, 1_024, 20_000, 1_048_576, u64::MAX];
        assert_eq!(files.map(connections), [16, 140, 752, 10_000, 10_000, 10_000]);
    }

    #[test]
    fn what_seconds_may_be() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "inf", "nan", "1e9", "10s", ""] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    /// The defaults of the command line are those of the code.
    #[test]
    fn the_defaults_are_the_same_everywhere() {
        let cli = Cli::try_parse_from(["viral", "api", "--http-connections", "500"]).unwrap();
        let crate::args::Command::Api(args) = cli.command else {
            panic!("another command");
        };
        assert_eq!(args.limits.limits(), Limits::default());
        let database = format!("{:?}", args.database);
        assert_eq!(database, format!("{:?}", DatabaseArgs::default()));
    }
}
