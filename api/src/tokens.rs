//! Bearer tokens. Only their hashes are kept, so neither a dump of the memory's strings nor a log can give one away.

use crate::auth::{Principal, Role};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq};

/// The tokens that are accepted, and whose they are.
#[derive(Clone, Default)]
pub struct Tokens {
    entries: Vec<([u8; 32], Principal)>,
}

/// A token that could be guessed, or that does not fit into a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a token needs {} to {} visible ASCII characters",
    Tokens::MIN_LENGTH,
    Tokens::MAX_LENGTH
)]
pub struct WeakToken;

impl Tokens {
    /// The shortest token: 16 random hexadecimal digits are 64 bits.
    pub const MIN_LENGTH: usize = 16;
    /// The longest token.
    pub const MAX_LENGTH: usize = 512;

    /// No tokens: only public routes answer.
    pub fn new() -> Tokens {
        Tokens::default()
    }

    /// Accepts a token from now on. `name` becomes the actor of what its bearer does: a pseudonymous id.
    pub fn add(&mut self, token: &str, name: &str, role: Role) -> Result<(), WeakToken> {
        let length = Tokens::MIN_LENGTH..=Tokens::MAX_LENGTH;
        if !length.contains(&token.len()) || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(WeakToken);
        }
        self.entries
            .push((Sha256::digest(token).into(), Principal::new(name, role)));
        Ok(())
    }

    /// Whose token it is. Takes the same time whatever is wrong with it.
    pub(crate) fn find(&self, token: &str) -> Option<&Principal> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for (known, principal) in &self.entries {
            let same: Choice = known.ct_eq(&hash);
            if same.into() {
                found = Some(principal);
            }
        }
        found
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({})", self.entries.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_tokens_are_found_and_none_is_shown() {
        let mut tokens = Tokens::new();
        let token = "0123456789abcdef0123456789abcdef";
        tokens.add(token, "operator", Role::Admin).unwrap();
        assert_eq!(tokens.find(token).map(Principal::name), Some("operator"));
        for other in ["", &token[1..], "0123456789abcdef0123456789abcdeF", "operator"] {
            assert_eq!(tokens.find(other), None, "{other}");
        }
        assert_eq!(format!("{tokens:?}"), "Tokens(1)");
    }

    #[test]
    fn weak_tokens_are_refused() {
        let long = "x".repeat(513);
        for token in [
            "",
            "short",
            "has a space in it, long enough",
            "línea-más-larga-que-16",
            &long,
        ] {
            assert_eq!(
                Tokens::new().add(token, "operator", Role::Admin),
                Err(WeakToken),
                "{token}"
            );
        }
    }
}
