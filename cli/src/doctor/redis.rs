//! Whether Redis can be reached, and which it is: a login, `PING` and `INFO server` in its own protocol (RESP 2), which is
//! less than a client library for one question.

use reqwest::Url;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// How long connecting, asking and answering may take together.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than `INFO server` says, and not enough to fill the memory if it is not Redis that answers.
const MOST: u64 = 64 * 1024;

/// Why Redis could not be asked. No password is in the text.
#[derive(Debug, thiserror::Error)]
pub(super) enum RedisError {
    /// The address is of no use.
    #[error("its address must look like redis://[user:password@]host:port[/database]")]
    Address,
    /// The address asks for what is not spoken here.
    #[error("its address begins with {0}://, only redis:// can be checked")]
    Scheme(String),
    /// Nobody is there, or the connection broke.
    #[error("it cannot be reached: {0}")]
    Io(#[from] io::Error),
    /// Nothing came.
    #[error("it does not answer within {} s", PATIENCE.as_secs())]
    Silent,
    /// It said no.
    #[error("it refuses {command}: {reply}")]
    Refused {
        /// What was asked.
        command: &'static str,
        /// What it said.
        reply: String,
    },
    /// Something answers that is not Redis.
    #[error("what answers there is not Redis")]
    Foreign,
}

/// Where Redis is, and as whom to log in.
pub(super) struct Address {
    host: String,
    port: u16,
    user: String,
    password: String,
    database: Option<u32>,
}

impl Address {
    /// Reads `redis://[user:password@]host[:port][/database]`. The user may be empty; the port is 6379 if it is absent.
    pub(super) fn parse(text: &str) -> Result<Address, RedisError> {
        let url = Url::parse(text).map_err(|_| RedisError::Address)?;
        if url.scheme() != "redis" {
            return Err(RedisError::Scheme(url.scheme().to_owned()));
        }
        let database = match url.path().trim_start_matches('/') {
            "" => None,
            number => Some(number.parse().map_err(|_| RedisError::Address)?),
        };
        Ok(Address {
            host: url
                .host_str()
                .filter(|host| !host.is_empty())
                .ok_or(RedisError::Address)?
                .to_owned(),
            port: url.port().unwrap_or(6379),
            user: decoded(url.username()).ok_or(RedisError::Address)?,
            password: decoded(url.password().unwrap_or_default()).ok_or(RedisError::Address)?,
            database,
        })
    }

    /// The address without the password.
    pub(super) fn without_password(&self) -> String {
        let login = match (self.user.as_str(), self.password.as_str()) {
            ("", "") => String::new(),
            (user, "") => format!("{user}@"),
            (user, _) => format!("{user}:***@"),
        };
        let database = self.database.map(|number| format!("/{number}")).unwrap_or_default();
        format!("redis://{login}{}:{}{database}", self.host, self.port)
    }

    /// Asks for the version.
    pub(super) async fn version(&self) -> Result<String, RedisError> {
        tokio::time::timeout(PATIENCE, self.ask())
            .await
            .unwrap_or(Err(RedisError::Silent))
    }

    async fn ask(&self) -> Result<String, RedisError> {
        // A host of IPv6 keeps its brackets, as this form wants it.
        let stream = TcpStream::connect(format!("{}:{}", self.host, self.port)).await?;
        let mut connection = Connection(BufReader::new(stream));
        match (self.user.as_str(), self.password.as_str()) {
            ("", "") => {}
            ("", password) => drop(connection.call("AUTH", &[password]).await?),
            (user, password) => drop(connection.call("AUTH", &[user, password]).await?),
        }
        if let Some(number) = self.database {
            connection.call("SELECT", &[&number.to_string()]).await?;
        }
        if connection.call("PING", &[]).await? != "PONG" {
            return Err(RedisError::Foreign);
        }
        let info = connection.call("INFO", &["server"]).await?;
        let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
        Ok(version.ok_or(RedisError::Foreign)?.trim().to_owned())
    }
}

struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Sends a command as an array of bulk strings, which may contain any byte, and reads the one reply.
    async fn call(&mut self, command: &'static str, arguments: &[&str]) -> Result<String, RedisError> {
        let mut request = format!("*{}\r\n", arguments.len() + 1);
        for part in std::iter::once(&command).chain(arguments) {
            request.push_str(&format!("${}\r\n{part}\r\n", part.len()));
        }
        self.0.write_all(request.as_bytes()).await?;
        let mut line = Vec::new();
        (&mut self.0).take(MOST).read_until(b'\n', &mut line).await?;
        let line = String::from_utf8(line).map_err(|_| RedisError::Foreign)?;
        match line.strip_suffix("\r\n").and_then(|line| line.split_at_checked(1)) {
            Some(("+", text)) => Ok(text.to_owned()),
            Some(("-", text)) => Err(RedisError::Refused {
                command,
                reply: text.to_owned(),
            }),
            Some(("$", length)) => {
                let length = length
                    .parse()
                    .ok()
                    .filter(|length| *length <= MOST)
                    .ok_or(RedisError::Foreign)?;
                let mut text = String::new();
                (&mut self.0).take(length).read_to_string(&mut text).await?;
                (&mut self.0).take(2).read_to_end(&mut Vec::new()).await?;
                Ok(text)
            }
            _ => Err(RedisError::Foreign),
        }
    }
}

/// Undoes the percent-encoding of a URL.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let mut byte = *first;
        if byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
            rest = after;
        }
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
#[path = "redis_tests.rs"]
mod tests;
