//! The connection string: the client's own, and two parameters of ours.
//!
//! `kurrentdb://user:password@host:2113?tls=false&streamPrefix=staging-&maxAppendBytes=500000`. What the client's
//! parameters are is in its documentation; ours are taken out before it sees the text.

use super::Options;
use crate::error::StoreError;
use kurrentdb::ClientSettings;

/// How a connection string begins.
pub const SCHEMES: [&str; 2] = ["kurrentdb://", "kurrentdb+discover://"];

/// Before its first call the client waits this long, and again after each attempt that failed. Its default, half a
/// second, would be added to every start of every tool.
const DISCOVERY_INTERVAL: &str = "discoveryInterval=50";

/// An append that is smaller than this cannot hold one line of the longest kind.
const LEAST_APPEND: usize = 2 * crate::line::MAX_LENGTH;

/// Reads a connection string. Errors never repeat it: it has a password in it.
pub(super) fn parse(url: &str, options: Options) -> Result<(ClientSettings, Options), StoreError> {
    if !SCHEMES.iter().any(|scheme| url.starts_with(scheme)) {
        return Err(malformed("it does not begin with kurrentdb://"));
    }
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let mut options = options;
    let mut theirs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match name.to_ascii_lowercase().as_str() {
            "streamprefix" => options.prefix = prefix(value)?,
            "maxappendbytes" => options.max_append_bytes = max_append_bytes(value)?,
            _ => theirs.push(pair),
        }
    }
    let has_interval = |pair: &&str| pair.to_ascii_lowercase().starts_with("discoveryinterval=");
    if !theirs.iter().any(has_interval) {
        theirs.push(DISCOVERY_INTERVAL);
    }
    // The client's message repeats the whole text where it cannot be read as a URL: only the reason is passed on.
    let settings = format!("{address}?{}", theirs.join("&"))
        .parse::<ClientSettings>()
        .map_err(|error| match error.error() {
            Some(reason) => malformed(&reason.to_string()),
            None => malformed(error.message()),
        })?;
    Ok((settings, options))
}

fn prefix(value: &str) -> Result<String, StoreError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match value.chars().all(allowed) && value.len() <= 100 {
        true => Ok(value.to_owned()),
        false => Err(malformed(
            "streamPrefix may have up to 100 letters, digits, dots, hyphens and underscores",
        )),
    }
}

fn max_append_bytes(value: &str) -> Result<usize, StoreError> {
    let bytes = value.parse().ok().filter(|bytes| *bytes >= LEAST_APPEND);
    bytes.ok_or_else(|| malformed(&format!("maxAppendBytes must be a number of at least {LEAST_APPEND}")))
}

fn malformed(problem: &str) -> StoreError {
    StoreError::Setup(format!(
        "EVENT_STORE cannot be read: {problem}; it must look like kurrentdb://user:password@host:2113?tls=false"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_parameters_are_taken_out() {
        let url = "kurrentdb://u:p@host:2113?tls=false&streamPrefix=a-&maxAppendBytes=500000";
        let (settings, options) = parse(url, Options::default()).unwrap();
        assert!(!settings.is_secure_mode_enabled());
        assert_eq!(settings.discovery_interval().as_millis(), 50);
        assert_eq!((options.prefix.as_str(), options.max_append_bytes), ("a-", 500_000));
        let (settings, _) = parse("kurrentdb://host?discoveryInterval=700", Options::default()).unwrap();
        assert!(settings.is_secure_mode_enabled());
        assert_eq!(settings.discovery_interval().as_millis(), 700);
    }

    #[test]
    fn what_cannot_be_read_is_said_without_the_password() {
        for url in [
            "http://u:secret@host",
            "kurrentdb://u:secret@",
            "kurrentdb://u:secret@host:port",
            "kurrentdb://u:secret@host/path",
            "kurrentdb://u:secret@host?tls=perhaps",
            "kurrentdb://u:secret@host?streamPrefix=a/b",
            "kurrentdb://u:secret@host?maxAppendBytes=10",
        ] {
            let error = parse(url, Options::default()).unwrap_err().to_string();
            assert!(error.contains("EVENT_STORE") && !error.contains("secret"), "{error}");
        }
    }
}
