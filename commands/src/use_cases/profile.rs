//! Profiles: everything that is personal about a user. Events hold them sealed only.

use crate::error::CommandError;
use serde::{Deserialize, Serialize};
use std::fmt;
use viral_domain::{link, text};

/// The most links that a profile may have.
const MAX_LINKS: usize = 10;
/// The longest name, e-mail address or link, in characters.
const MAX_LINE: usize = 320;

/// What a user says about themselves.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Some words about the user.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bio: String,
    /// The name that others see.
    pub display_name: String,
    /// Where the user can be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where the user can be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
}

impl fmt::Debug for Profile {
    /// Without the fields: what is personal must not reach a log by way of `{:?}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Profile")
    }
}

impl Profile {
    /// The text that is sealed.
    pub(crate) fn to_text(&self) -> Result<String, CommandError> {
        self.check()
            .map_err(|problem| CommandError::refused("invalid_profile", problem))?;
        serde_json::to_string(self).map_err(|e| CommandError::refused("invalid_profile", e.to_string()))
    }

    fn check(&self) -> Result<(), String> {
        text::check_line("display_name", &self.display_name, MAX_LINE).map_err(|e| e.to_string())?;
        text::check_text("bio", &self.bio, text::DESCRIPTION).map_err(|e| e.to_string())?;
        if let Some(email) = &self.email {
            text::check_identifier("email", email, MAX_LINE).map_err(|e| e.to_string())?;
            if !is_email(email) {
                return Err("email is not an e-mail address".to_owned());
            }
        }
        if self.links.len() > MAX_LINKS {
            return Err(format!("links has more than {MAX_LINKS} entries"));
        }
        let mut links = self.links.iter();
        links
            .try_for_each(|link| link::check("links", link, MAX_LINE))
            .map_err(|e| e.to_string())
    }
}

/// Whether a text can be an address at all; whether it is one, only a message to it shows.
pub(super) fn is_email(text: &str) -> bool {
    match text.split_once('@') {
        Some((name, host)) => {
            !name.is_empty() && host.len() > 1 && !host.contains('@') && !text.chars().any(char::is_whitespace)
        }
        None => false,
    }
}
