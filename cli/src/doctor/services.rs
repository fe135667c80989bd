//! What runs beside the platform and its database. Each component has a file of its own that asks it.

use super::clickhouse::Analytics;
use super::redis::Address;
use serde::Serialize;

/// All of them.
#[derive(Debug, Serialize)]
pub(super) struct Services {
    pub(super) redis: Service,
    pub(super) clickhouse: Analytics,
}

/// One component.
#[derive(Debug, Default, Serialize)]
pub(super) struct Service {
    pub(super) state: State,
    /// Where it is, without a password.
    pub(super) address: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Nobody said that there is one. That is no problem: the platform does without.
    #[default]
    NotConfigured,
    Reachable,
    /// There should be one, and the problems say why it does not answer.
    Unreachable,
}

impl Service {
    /// One that should be there: its version, or what is wrong.
    pub(super) fn asked(
        address: Option<String>,
        version: Result<String, String>,
        problems: &mut Vec<String>,
    ) -> Service {
        let (state, version) = match version {
            Ok(version) => (State::Reachable, Some(version)),
            Err(problem) => {
                problems.push(problem);
                (State::Unreachable, None)
            }
        };
        Service {
            state,
            address,
            version,
        }
    }

    /// One line for people.
    pub(super) fn text(&self) -> String {
        let of = |value: &Option<String>| value.clone().unwrap_or_default();
        match self.state {
            State::NotConfigured => "not configured".to_owned(),
            State::Unreachable => format!("{}: cannot be used", of(&self.address))
                .trim_start_matches(": ")
                .to_owned(),
            State::Reachable => format!("{}, version {}", of(&self.address), of(&self.version)),
        }
    }
}

/// Asks Redis, if there is one.
pub(super) async fn redis(url: Option<&str>, problems: &mut Vec<String>) -> Service {
    let Some(url) = url else {
        return Service::default();
    };
    match Address::parse(url) {
        Ok(address) => {
            let (place, asked) = (address.without_password(), address.version().await);
            let asked = asked.map_err(|error| format!("Redis at {place}: {error}"));
            Service::asked(Some(place), asked, problems)
        }
        Err(error) => Service::asked(None, Err(format!("Redis: {error}")), problems),
    }
}
