//! Which request a unit comes from: its id and its hash.

use sha2::{Digest, Sha256};
use uuid::Uuid;
use viral_ledger::ids::derived;

/// Tells a retry from a new request, and from another request that uses the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestIdentity {
    /// The unit's id: a UUIDv8 of SHA-256 over who asks and the idempotency key.
    pub unit_id: Uuid,
    /// SHA-256 over the operation, the path and the body, in hexadecimal.
    pub request_hash: String,
}

impl RequestIdentity {
    /// The identity of a request by `principal` with an idempotency key. The body should be in canonical form, so that
    /// spaces and the order of fields make no difference.
    pub fn new(principal: &str, key: &str, operation: &str, path: &str, body: &str) -> RequestIdentity {
        RequestIdentity {
            unit_id: derived("request", &[principal.as_bytes(), key.as_bytes()]),
            request_hash: hash(&[operation, path, body]),
        }
    }

    /// The identity of an entry of a foreign ledger: from its source and its id there.
    pub fn imported(source: &str, entry_id: &str, content: &str) -> RequestIdentity {
        RequestIdentity {
            unit_id: derived("import", &[source.as_bytes(), entry_id.as_bytes()]),
            request_hash: hash(&["import", source, content]),
        }
    }
}

/// SHA-256 over texts, each preceded by its length, in hexadecimal.
pub fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}
