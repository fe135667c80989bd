//! Where ClickHouse is, and what its errors mean.

use super::rows::Watermark;
use crate::error::ProjectionError;
use clickhouse::Client;
use clickhouse::error::Error as ClientError;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;
use viral_store::Position;

/// The database where the URL names none.
const DATABASE: &str = "viral";
/// How long a question that should be quick may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// And one that somebody waits for at a page.
pub(super) const BRIEF_PATIENCE: Duration = Duration::from_secs(3);
/// And one about whole tables.
pub(super) const LONG_PATIENCE: Duration = Duration::from_secs(1_800);
/// How long pages do not ask a server that did not answer one of them in time.
const REST: Duration = Duration::from_secs(10);
/// The oldest version whose views and settings are as the migrations need them.
const OLDEST: u32 = 24;

/// A database of a ClickHouse server, over HTTP.
#[derive(Clone)]
pub struct ClickHouse {
    client: Client,
    /// Without user and password.
    shown: String,
    database: String,
    /// Until then pages do not ask.
    rests_until: Arc<Mutex<Option<Instant>>>,
    /// Whether the last question of a page had no answer.
    is_away: Arc<AtomicBool>,
}

impl fmt::Debug for ClickHouse {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClickHouse").field(&self.to_string()).finish()
    }
}

impl fmt::Display for ClickHouse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.shown, self.database)
    }
}

impl ClickHouse {
    /// A server by its URL, `http://user:password@host:8123/database`. It connects when it is first used.
    ///
    /// # Errors
    /// [`ProjectionError::ClickHouse`] if it is no such URL. What it was is not repeated: it may hold a password.
    pub fn connect(url: &str) -> Result<ClickHouse, ProjectionError> {
        let wrong = |why: &str| {
            ProjectionError::ClickHouse(format!(
                "CLICKHOUSE_URL must look like http://user:password@host:8123/database: {why}"
            ))
        };
        let mut url = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong(&format!("{}:// is not spoken", url.scheme())));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("nothing may follow the database"));
        }
        let database = match url.path().trim_matches('/') {
            "" => DATABASE.to_owned(),
            name if is_name(name) => name.to_owned(),
            _ => return Err(wrong("a database has letters, digits and underscores")),
        };
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned()
        };
        let mut client = Client::default().with_database(&database);
        if !url.username().is_empty() {
            client = client.with_user(decoded(url.username()));
        }
        if let Some(password) = url.password() {
            client = client.with_password(decoded(password));
        }
        // Neither can fail for a URL with a host.
        let _ = (url.set_username(""), url.set_password(None));
        url.set_path("/");
        let shown = url.to_string();
        Ok(ClickHouse {
            client: client.with_url(shown.trim_end_matches('/')),
            shown,
            database,
            rests_until: Arc::default(),
            is_away: Arc::default(),
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn database(&self) -> &str {
        &self.database
    }

    /// A client that names no database: to make it.
    pub(super) fn outside(&self) -> Client {
        self.client.clone().with_database("default")
    }

    /// Its version.
    ///
    /// # Errors
    /// As all questions here: [`ProjectionError::ClickHouseAway`] if it cannot be reached, else
    /// [`ProjectionError::ClickHouse`].
    pub async fn version(&self) -> Result<String, ProjectionError> {
        let asked = self.outside();
        self.within(asked.query("SELECT version()").fetch_one::<String>()).await
    }

    /// Refuses servers that are too old.
    pub(super) async fn check_version(&self) -> Result<(), ProjectionError> {
        let version = self.version().await?;
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match major {
            Some(major) if major >= OLDEST => Ok(()),
            _ => Err(ProjectionError::ClickHouse(format!(
                "{self} is version {version}; {OLDEST} or newer is needed"
            ))),
        }
    }

    /// How far it has all rows, and of which log; none before the first.
    pub async fn watermark(&self) -> Result<Option<(String, Position)>, ProjectionError> {
        let statement = "SELECT source, position, recorded_at FROM watermark_rows FINAL ORDER BY position DESC LIMIT 1";
        let row = self
            .within(self.client.query(statement).fetch_optional::<Watermark>())
            .await?;
        Ok(row.map(|row| (row.source, Position(row.position))))
    }

    /// How far it has all rows of this log. One that holds another log is refused: its rows are not ours to replace.
    ///
    /// # Errors
    /// [`ProjectionError::ClickHouse`] naming both logs.
    pub async fn check_log(&self, source: &str) -> Result<Position, ProjectionError> {
        match self.watermark().await? {
            Some((found, _)) if found != source => Err(self.another_log(&found, source)),
            found => Ok(found.map_or(Position::START, |(_, position)| position)),
        }
    }

    pub(super) fn another_log(&self, found: &str, source: &str) -> ProjectionError {
        ProjectionError::ClickHouse(format!(
            "{self} holds the log {found}, this one is {source}: name another database in CLICKHOUSE_URL, or drop that one"
        ))
    }

    /// The answer to a question that should be quick.
    pub(super) async fn within<T>(
        &self,
        asked: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ProjectionError> {
        self.answer(PATIENCE, asked).await
    }

    /// The answer to a question that somebody waits for at a page. After one that took too long the next are not asked for
    /// a while, so that a server that hangs does not make every page slow.
    pub(super) async fn briefly<T>(
        &self,
        asked: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ProjectionError> {
        let rests_until = || self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        if rests_until().is_some_and(|until| Instant::now() < until) {
            let text = format!("ClickHouse at {self} did not answer a moment ago and is not asked again yet");
            return Err(ProjectionError::ClickHouseAway(text));
        }
        let began = Instant::now();
        let answer = self.answer(BRIEF_PATIENCE, asked).await;
        match (self.is_away.swap(answer.is_err(), Ordering::Relaxed), &answer) {
            (false, Err(error)) => tracing::warn!(%error, "pages do without ClickHouse"),
            (true, Ok(_)) => tracing::info!("pages ask ClickHouse again"),
            (true, Err(_)) | (false, Ok(_)) => {}
        }
        let hangs = answer.is_err() && began.elapsed() >= BRIEF_PATIENCE;
        *rests_until() = hangs.then(|| Instant::now() + REST);
        answer
    }

    /// The answer to a question about whole tables.
    pub(super) async fn at_length<T>(
        &self,
        asked: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ProjectionError> {
        self.answer(LONG_PATIENCE, asked).await
    }

    async fn answer<T>(
        &self,
        patience: Duration,
        asked: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, ProjectionError> {
        match tokio::time::timeout(patience, asked).await {
            Ok(answered) => answered.map_err(|error| self.error(error)),
            Err(_) => Err(ProjectionError::ClickHouseAway(format!(
                "ClickHouse at {self} did not answer within {} s",
                patience.as_secs()
            ))),
        }
    }

    pub(super) fn error(&self, error: ClientError) -> ProjectionError {
        let mut text = format!("ClickHouse at {self}: {}", one_line(&with_causes(&error)));
        if ["(UNKNOWN_DATABASE)", "(UNKNOWN_TABLE)"]
            .iter()
            .any(|name| text.contains(name))
        {
            text.push_str("; run `viral migrate`");
        }
        match error {
            ClientError::BadResponse(said) if !may_pass(&said) => ProjectionError::ClickHouse(text),
            ClientError::BadResponse(_) | ClientError::Network(_) | ClientError::TimedOut => {
                ProjectionError::ClickHouseAway(text)
            }
            _ => ProjectionError::ClickHouse(text),
        }
    }
}

/// Names that need no quoting.
fn is_name(text: &str) -> bool {
    let first = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether an exception is about the state of the server: memory, disk, too many parts or queries, time, shutting down.
/// <https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp>
fn may_pass(said: &str) -> bool {
    const PASSING: [u32; 24] = [
        74, 75, 76, 159, 160, 198, 201, 202, 209, 210, 236, 241, 242, 243, 252, 285, 286, 319, 394, 425, 439, 473, 499,
        999,
    ];
    let code = said
        .split_once("Code: ")
        .and_then(|(_, rest)| rest.split('.').next())
        .and_then(|code| code.trim().parse::<u32>().ok());
    // What has no code was said by something between us and the server.
    code.is_none_or(|code| PASSING.contains(&code))
}

/// What an error says, and why: the client's own text stops at `client error (Connect)`.
fn with_causes(error: &ClientError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let why = error.to_string();
        if !text.contains(&why) {
            text = format!("{text}: {why}");
        }
        cause = error.source();
    }
    text
}

fn one_line(text: &str) -> String {
    const LONGEST: usize = 600;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_and_passwords_not_shown() {
        let found = ClickHouse::connect("http://me:se%20cret@127.0.0.1:8123/other").unwrap();
        assert_eq!(found.to_string(), "http://127.0.0.1:8123/other");
        assert!(!format!("{found:?}").contains("cret"));
        assert_eq!(ClickHouse::connect("http://host:1").unwrap().database(), DATABASE);
        for wrong in [
            "host:8123",
            "tcp://secret@host",
            "http://host/a-b",
            "http://host/a?password=secret",
            "",
        ] {
            let told = ClickHouse::connect(wrong).unwrap_err().to_string();
            assert!(told.contains("CLICKHOUSE_URL") && !told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        for (said, passes) in [
            ("Code: 241. DB::Exception: Memory limit", true),
            ("Code: 243. DB::Exception: Cannot reserve", true),
            ("bad gateway", true),
            ("Code: 60. DB::Exception: Unknown table", false),
        ] {
            assert_eq!(may_pass(said), passes, "{said}");
        }
    }
}
