//! The three logins of the cluster, their passwords, and the URLs made of them.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::home::{Home, read_json, write_json};

/// The role that owns the cluster; only backups, chaos tests and whoever attacks the log on purpose need it.
pub(super) const SUPERUSER: &str = "postgres";
/// The role that owns the database and migrates it.
pub(super) const OWNER: &str = "viral_owner";
/// The role that every part of the platform works with.
pub(super) const APP: &str = "viral_app";
/// The role that owns the read models. Nobody logs in as it: the platform's login takes it on.
pub(super) const PROJECTOR: &str = "viral_projector";
/// The one database.
pub(super) const DATABASE: &str = "viral";

/// Passwords of the three roles: 32 random bytes each, in hex, so that they need no quoting anywhere.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Logins {
    superuser: String,
    owner: String,
    app: String,
}

impl fmt::Debug for Logins {
    /// Passwords must not reach a log by way of `{:?}`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Logins")
    }
}

impl Logins {
    /// Those of a cluster that was made before.
    pub(super) fn load(home: &Home) -> Result<Option<Self>, Error> {
        read_json(&home.secrets())
    }

    /// New ones, written down before anything uses them: a kill between the two must not lose a password.
    pub(super) fn create(home: &Home) -> Result<Self, Error> {
        let logins = Self {
            superuser: password()?,
            owner: password()?,
            app: password()?,
        };
        write_json(&home.secrets(), &logins, 0o600)?;
        Ok(logins)
    }

    /// The password of one of the three roles.
    pub(super) fn password(&self, role: &str) -> &str {
        match role {
            OWNER => &self.owner,
            APP => &self.app,
            _ => &self.superuser,
        }
    }

    /// The URL under which one of the three roles reaches the database.
    pub(super) fn url(&self, role: &str, port: u16) -> String {
        let password = self.password(role);
        format!("postgres://{role}:{password}@127.0.0.1:{port}/{DATABASE}")
    }
}

fn password() -> Result<String, Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(hex::encode(bytes))
}
