//! Which Kafka answers. Brokers do not tell their release, but which `metadata.version` the cluster has agreed on, in the
//! answer to a request that librdkafka sends without handing its answer on.
//!
//! <https://kafka.apache.org/protocol.html>, and `ApiVersionsResponse.json` in Kafka's source

use crate::cluster::Cluster;
use serde::Serialize;
use std::fmt;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long one server may take to be connected to and to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// More than brokers say, and not enough to fill the memory if it is not Kafka that answers.
const MOST: usize = 64 * 1_024;
/// `ApiVersions` in its version 3, the first one with features.
const REQUEST: [i16; 2] = [18, 3];
const CORRELATION_ID: i32 = 1;
/// The tags of the two fields that are read.
const FEATURES_EPOCH: usize = 1;
const FEATURES: usize = 2;
const FEATURE: &[u8] = b"metadata.version";

/// The first level of each release, as `MetadataVersion.java` in Kafka's source has them; then where the last one ends.
const RELEASES: [(i16, &str); 15] = [
    (1, "3.0"),
    (2, "3.1"),
    (3, "3.2"),
    (4, "3.3"),
    (8, "3.4"),
    (9, "3.5"),
    (12, "3.6"),
    (15, "3.7"),
    (20, "3.8"),
    (21, "3.9"),
    (22, "4.0"),
    (26, "4.1"),
    (28, "4.2"),
    (30, "4.3"),
    (31, "4.4"),
];
const LAST: i16 = 33;

/// The version of its metadata that a cluster has agreed on. Its brokers are of this release or of a newer one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MetadataVersion {
    /// The release that introduced it, such as `4.0`.
    pub release: String,
    /// Kafka's own number of it.
    pub level: i16,
}

impl MetadataVersion {
    fn of(level: i16) -> Option<MetadataVersion> {
        let (_, release) = RELEASES.iter().rev().find(|(first, _)| *first <= level)?;
        let release = match level > LAST {
            true => format!("newer than {release}"),
            false => (*release).to_owned(),
        };
        Some(MetadataVersion { release, level })
    }
}

impl fmt::Display for MetadataVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (level {})", self.release, self.level)
    }
}

impl Cluster {
    /// Asks the bootstrap servers one after the other. Nothing if none of them tells it: that is no error, others than
    /// Apache Kafka need not have one.
    pub async fn metadata_version(&self) -> Option<MetadataVersion> {
        for server in self.brokers().split(',').map(address) {
            match tokio::time::timeout(PATIENCE, ask(&server)).await {
                Ok(Ok(answer)) => return level(&answer).and_then(MetadataVersion::of),
                Ok(Err(error)) => tracing::debug!(server, %error, "no version of Kafka"),
                Err(_) => tracing::debug!(server, "no version of Kafka in time"),
            }
        }
        None
    }
}

/// A server as librdkafka understands it: a protocol may stand before it, and its port may be missing.
fn address(server: &str) -> String {
    let server = server.trim();
    let server = server.split_once("://").map_or(server, |(_, server)| server);
    let has_port = server
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    match has_port {
        true => server.to_owned(),
        false => format!("{server}:9092"),
    }
}

async fn ask(server: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    stream.write_all(&request()).await?;
    let length = usize::try_from(stream.read_i32().await?).ok();
    let length = length
        .filter(|length| *length <= MOST)
        .ok_or(io::ErrorKind::InvalidData)?;
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

/// The request behind its length. Texts and fields with tags are compact but for the id of the client, which never is.
fn request() -> Vec<u8> {
    const CLIENT: &[u8] = b"viral-engine";
    const CLIENT_LENGTH: u8 = 12;
    const NO_TAGS: u8 = 0;
    let mut body = Vec::new();
    body.extend(REQUEST.iter().flat_map(|number| number.to_be_bytes()));
    body.extend(CORRELATION_ID.to_be_bytes());
    body.extend(i16::from(CLIENT_LENGTH).to_be_bytes());
    body.extend(CLIENT);
    body.push(NO_TAGS);
    // The name and version of the client's software.
    body.push(CLIENT_LENGTH + 1);
    body.extend(CLIENT);
    body.extend([2, b'1', NO_TAGS]);
    let length = u32::try_from(body.len()).unwrap_or_default();
    [&length.to_be_bytes()[..], &body].concat()
}

/// The level that all brokers have agreed on, in an answer without its length; nothing if that says none, or is no answer.
fn level(answer: &[u8]) -> Option<i16> {
    let mut answer = Bytes(answer);
    let (id, error) = (answer.int32()?, answer.int16()?);
    if (id, error) != (CORRELATION_ID, 0) {
        return None;
    }
    for _ in 0..answer.length()? {
        // A kind of request, and its lowest and highest version.
        answer.take(6)?;
        answer.tagged()?;
    }
    let _throttled_ms = answer.int32()?;
    let fields = answer.tagged()?;
    answer.is_at_end()?;
    let field = |wanted: usize| fields.iter().find(|(tag, _)| *tag == wanted).map(|(_, bytes)| *bytes);
    // Before 0 the brokers do not know what was agreed on.
    let epoch: [u8; 8] = field(FEATURES_EPOCH)?.try_into().ok()?;
    let mut features = Bytes(field(FEATURES)?);
    let mut level = None;
    for _ in 0..features.length()? {
        let length = features.length()?;
        let name = features.take(length)?;
        let (max, _min) = (features.int16()?, features.int16()?);
        features.tagged()?;
        if name == FEATURE {
            level = Some(max);
        }
    }
    features.is_at_end()?;
    level.filter(|_| i64::from_be_bytes(epoch) >= 0)
}

/// What is left to be read. Everything here is nothing where that is too short.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn int16(&mut self) -> Option<i16> {
        self.fixed().map(i16::from_be_bytes)
    }

    fn int32(&mut self) -> Option<i32> {
        self.fixed().map(i32::from_be_bytes)
    }

    /// An unsigned number of at most 32 bits, seven to a byte, the lowest first.
    fn varint(&mut self) -> Option<usize> {
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.fixed::<1>()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).ok().and_then(|value| value.try_into().ok());
            }
        }
        None
    }

    /// How long a compact text or array is, which may not be null.
    fn length(&mut self) -> Option<usize> {
        self.varint()?.checked_sub(1)
    }

    fn tagged(&mut self) -> Option<Vec<(usize, &'a [u8])>> {
        let count = self.varint()?;
        let fields = (0..count).map(|_| {
            let (tag, size) = (self.varint()?, self.varint()?);
            Some((tag, self.take(size)?))
        });
        fields.collect()
    }

    fn is_at_end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests;
