//! Units: their events stand together, the first one gives the unit its id, and all of them come from one request.

use uuid::Uuid;
use viral_store::Metadata;

/// The unit that the log is in.
#[derive(Default)]
pub(super) struct Units {
    current: Option<Metadata>,
}

impl Units {
    /// Checks that an event begins a unit or belongs to the one right before it. A unit whose events are torn apart by
    /// others shows at the first event after the tear: its unit is no longer the current one.
    pub(super) fn check(&mut self, event_id: Uuid, metadata: Metadata) -> Result<(), String> {
        if metadata.unit_id == event_id {
            self.current = Some(metadata);
            return Ok(());
        }
        let first = self.current.as_ref().filter(|first| first.unit_id == metadata.unit_id);
        let Some(first) = first else {
            return Err(format!(
                "it belongs to the unit {}, whose events do not stand right before it",
                metadata.unit_id
            ));
        };
        if first.request_hash != metadata.request_hash {
            return Err("its requesthash is not that of its unit".to_owned());
        }
        if first.actor != metadata.actor {
            return Err("its actor is not that of its unit".to_owned());
        }
        Ok(())
    }
}
