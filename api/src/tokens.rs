//! Bearer tokens. Of the operator's only the hashes are kept, so neither a dump of the memory's strings nor a log can
//! give one away. Those of `--dev` are signed instead, and nothing of them is kept.

use crate::auth::Principal;
use ring::hmac;
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::{Choice, ConstantTimeEq};
use uuid::Uuid;
use viral_domain::UserId;
use viral_domain::user::Role;

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

/// Tokens of users for trying the platform out: `viral_dev_<role>_<user>_<HMAC-SHA256 in hexadecimal>`. They say by
/// themselves whose they are, so nothing is kept of them, they never expire, and whoever has the secret can be anybody:
/// they are for `--dev` alone.
#[derive(Clone)]
pub struct DevTokens {
    key: hmac::Key,
}

impl DevTokens {
    /// What the code is computed over begins with this, so that it is never one of something else.
    const PURPOSE: &str = "viral dev token 1";
    const PREFIX: &str = "viral_dev_";

    /// Tokens under a secret that nobody can guess. Another secret makes all of them invalid.
    pub fn new(secret: [u8; 32]) -> DevTokens {
        DevTokens {
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
        }
    }

    /// The token of a user in a role.
    pub fn issue(&self, role: Role, user: UserId) -> String {
        let role = role.as_str();
        let code = hmac::sign(&self.key, format!("{}\n{role}\n{user}", Self::PURPOSE).as_bytes());
        format!("{}{role}_{user}_{}", Self::PREFIX, hex::encode(code))
    }

    /// Whose token it is. There is one spelling of each token, which is compared in constant time.
    pub(crate) fn find(&self, token: &str) -> Option<Principal> {
        let mut parts = token.strip_prefix(Self::PREFIX)?.splitn(3, '_');
        let role = parts.next()?;
        let role = Role::ALL.into_iter().find(|known| known.as_str() == role)?;
        let user = UserId(Uuid::try_parse(parts.next()?).ok()?);
        let same: Choice = self.issue(role, user).as_bytes().ct_eq(token.as_bytes());
        bool::from(same).then(|| Principal::of_user(user, role))
    }
}

impl fmt::Debug for DevTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DevTokens(…)")
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

    #[test]
    fn dev_tokens_say_whose_they_are() {
        let tokens = DevTokens::new([7; 32]);
        let user = UserId(Uuid::from_u128(0x0199_a3c4_5d6e_7f80_9a1b_2c3d_4e5f_6071));
        for role in Role::ALL {
            let token = tokens.issue(role, user);
            let principal = tokens.find(&token).unwrap();
            assert_eq!((principal.role(), principal.user()), (role, Some(user)));
            assert_eq!(principal.name(), user.to_string());
        }
        // HMAC-SHA256 as another implementation computes it.
        assert_eq!(
            tokens.issue(Role::Sponsor, user),
            "viral_dev_sponsor_0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071_6921f2525e1a27a89a8d4a1b848bc22825b57afee0175e44a234ed1c67d621c7"
        );
        assert_eq!(format!("{tokens:?}"), "DevTokens(…)");
    }

    #[test]
    fn dev_tokens_cannot_be_changed() {
        let tokens = DevTokens::new([7; 32]);
        let (user, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let good = tokens.issue(Role::Creator, user);
        let forged = [
            String::new(),
            "viral_dev_".to_owned(),
            good.replace("creator", "admin"),
            good.replace("creator", "owner"),
            good.replace(&user.to_string(), &other.to_string()),
            good.replace(&user.to_string(), &user.0.simple().to_string()),
            good.to_uppercase(),
            format!("{good}0"),
            format!("{good}_"),
            good[..good.len() - 1].to_owned(),
            DevTokens::new([8; 32]).issue(Role::Creator, user),
        ];
        for token in forged {
            assert_eq!(tokens.find(&token), None, "{token}");
        }
        let last = if good.ends_with('0') { "1" } else { "0" };
        assert_eq!(tokens.find(&format!("{}{last}", &good[..good.len() - 1])), None);
    }
}
