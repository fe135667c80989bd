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
}

impl From<Status> for ReadModel {
    fn from(status: Status) -> ReadModel {
        ReadModel {
            name: status.name,
            version: status.version,
            state: status.state.as_str(),
            position: status.position.to_string(),
            lag: status.head.0.saturating_sub(status.position.0).to_string(),
            parked: status.parked,
            problem: status.problem,
        }
    }
}

impl ReadModel {
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
        format!("{name} version {version} ({state}) at position {position}, {lag} behind, {parked} parked")
    }

    /// What somebody should look at. To be behind is none: it is on its way, or nobody runs `viral project`.
    pub(super) fn problem(&self) -> Option<String> {
        let name = &self.name;
        match (&self.problem, self.parked) {
            (Some(why), _) => Some(format!("read model {name} has stopped: {why}")),
            (None, 0) => None,
            (None, parked) => Some(format!(
                "read model {name} left {parked} events out: `viral projections resume {name}` tries again"
            )),
        }
    }
}
