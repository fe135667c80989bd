//! Where the read models are, and what holds one up.

use serde::Serialize;
use viral_projections::Status;

/// A version of a read model.
#[derive(Debug, Serialize)]
pub(super) struct ReadModel {
    name: String,
    version: i32,
    /// `live`, or `building` while a rebuild goes on.
    state: &'static str,
    /// The last event that it contains.
    position: String,
    /// How many events it is behind the head.
    lag: String,
    /// How many events were left out.
    parked: u64,
    /// Why it stopped, if it did.
    problem: Option<String>,
    /// Why it does not move on for now, though it is tried again.
    refusal: Option<String>,
    /// Whether there is what it is filled in.
    configured: bool,
}

impl ReadModel {
    pub(super) fn new(status: Status, has_clickhouse: bool) -> ReadModel {
        ReadModel {
            configured: crate::projections::is_configured(&status, has_clickhouse),
            name: status.name,
            version: status.version,
            state: status.state.as_str(),
            position: status.position.to_string(),
            lag: status.head.0.saturating_sub(status.position.0).to_string(),
            parked: status.parked,
            problem: status.problem,
            refusal: status.refusal,
        }
    }

    /// One line for people.
    pub(super) fn text(&self) -> String {
        let ReadModel {
            name,
            version,
            state,
            position,
            lag,
            parked,
            ..
        } = self;
        let told = match self.configured {
            true => "",
            false => ", not configured: nobody fills it",
        };
        format!("{name} version {version} ({state}) at position {position}, {lag} behind, {parked} parked{told}")
    }

    /// What somebody should look at. To be behind is none: it is on its way, or nobody runs `viral project`.
    pub(super) fn problem(&self) -> Option<String> {
        let name = &self.name;
        match (&self.problem, &self.refusal, self.parked) {
            _ if !self.configured => None,
            (Some(why), ..) => Some(format!("read model {name} has stopped: {why}")),
            (None, Some(why), _) => Some(format!("read model {name} is held up, and tried again: {why}")),
            (None, None, 0) => None,
            (None, None, parked) => Some(format!(
                "read model {name} left {parked} events out: `viral projections resume {name}` tries again"
            )),
        }
    }
}
