//! Personal fields as they stand in events: ciphertext. Whoever destroys a person's key has erased what the key sealed,
//! while the log and every proof about it stay as they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A sealed text: AES-256-GCM under a key of the person's own, which is kept outside the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// The ciphertext with its 16-byte tag, base64 without padding (RFC 4648, section 5).
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]+$"))]
    pub ct: String,
    /// Which of the person's keys.
    pub key: Uuid,
    /// The 12-byte nonce, base64 without padding.
    #[schemars(regex(pattern = "^[A-Za-z0-9_-]{16}$"))]
    pub nonce: String,
    /// Whose key.
    pub person: Uuid,
}
