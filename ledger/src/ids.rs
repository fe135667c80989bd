//! Ids that derive from their cause, so that a consequence happens once however often its cause is handled.

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A UUIDv8 (RFC 9562, section 5.8) of SHA-256 over the parts, each preceded by its length, so that no two lists of
/// parts can be confused. `purpose` keeps ids of different uses apart.
pub fn derived(purpose: &str, parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finalize()[..16]);
    Uuid::new_v8(bytes)
}

/// The id of the one reversal that a transaction can have.
pub fn reversal_of(transaction: Uuid) -> Uuid {
    derived("reversal", &[transaction.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_not_run_together() {
        assert_eq!(derived("p", &[b"a", b"b"]), derived("p", &[b"a", b"b"]));
        assert_ne!(derived("p", &[b"a", b"b"]), derived("p", &[b"ab"]));
        assert_ne!(derived("p", &[b"a"]), derived("q", &[b"a"]));
        assert_eq!(derived("p", &[]).get_version_num(), 8);
    }
}
