//! Units: their events stand together, the first one gives the unit its id, and all of them come from one request and
//! were recorded at one moment.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use viral_store::Metadata;
use viral_store::event::time_text;

/// The unit that the log is in.
#[derive(Default)]
pub(super) struct Units {
    current: Option<First>,
}

/// The first event of a unit.
struct First {
    metadata: Metadata,
    recorded_at: DateTime<Utc>,
}

impl Units {
    /// Checks that an event begins a unit or belongs to the one right before it. A unit whose events are torn apart by
    /// others shows at the first event after the tear: its unit is no longer the current one.
    pub(super) fn check(
        &mut self,
        event_id: Uuid,
        recorded_at: DateTime<Utc>,
        metadata: Metadata,
    ) -> Result<(), String> {
        if metadata.unit_id == event_id {
            self.current = Some(First { metadata, recorded_at });
            return Ok(());
        }
        let current = self.current.as_ref();
        let Some(first) = current.filter(|first| first.metadata.unit_id == metadata.unit_id) else {
            return Err(format!(
                "it belongs to the unit {}, whose events do not stand right before it",
                metadata.unit_id
            ));
        };
        // All names but the effective time, which is each event's own: one that is added must be thought of here.
        let Metadata {
            actor,
            causation_id,
            correlation_id,
            effective_time: _,
            request_hash,
            unit_id: _,
        } = &metadata;
        for (name, equal) in [
            ("requesthash", first.metadata.request_hash == *request_hash),
            ("actor", first.metadata.actor == *actor),
            ("correlationid", first.metadata.correlation_id == *correlation_id),
            ("causationid", first.metadata.causation_id == *causation_id),
        ] {
            if !equal {
                return Err(format!("its {name} is not that of its unit"));
            }
        }
        if first.recorded_at != recorded_at {
            let (time, of_unit) = (time_text(&recorded_at), time_text(&first.recorded_at));
            return Err(format!("recorded at {time}, its unit at {of_unit}"));
        }
        Ok(())
    }
}
