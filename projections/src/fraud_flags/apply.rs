//! What events make of suspicions.

use super::table::FraudFlagRow;
use crate::fact::{Event, Fact, Problem};
use crate::model::Fold;
use crate::rows::{Rows, TableRows};
use viral_domain::fraud_flag::{FraudFlagEvent, Raised, Resolved, Status};

#[derive(Default)]
pub(super) struct FraudFlags {
    flags: Rows<FraudFlagRow>,
}

impl Fold for FraudFlags {
    fn touch(&mut self, event: &Event) {
        self.flags.want(event.aggregate);
    }

    fn apply(&mut self, event: &Event) -> Result<(), Problem> {
        let Fact::FraudFlag(fact) = &event.fact else {
            return Ok(());
        };
        match fact {
            FraudFlagEvent::Raised(raised) => self.flags.add(flag(event, raised)),
            FraudFlagEvent::Confirmed(resolved) => self.resolve(event, resolved, Status::Confirmed),
            FraudFlagEvent::Dismissed(resolved) => self.resolve(event, resolved, Status::Dismissed),
        }
    }

    fn tables(&mut self) -> Vec<&mut dyn TableRows> {
        vec![&mut self.flags]
    }
}

impl FraudFlags {
    fn resolve(&mut self, event: &Event, resolved: &Resolved, status: Status) -> Result<(), Problem> {
        let row = self.flags.change(event.aggregate)?;
        row.resolution_status = status.as_str().to_owned();
        row.reviewer_id = Some(resolved.reviewer.clone());
        row.note.clone_from(&resolved.note);
        row.resolved_at = Some(event.recorded_at);
        Ok(())
    }
}

fn flag(event: &Event, raised: &Raised) -> FraudFlagRow {
    FraudFlagRow {
        id: event.aggregate,
        source_type: raised.source_type,
        source_id: raised.source_id,
        score: raised.score,
        reasons: raised.reasons.clone(),
        reviewer_id: None,
        resolution_status: Status::Open.as_str().to_owned(),
        note: None,
        raised_by: event.actor.clone(),
        raised_at: event.recorded_at,
        resolved_at: None,
        position: 0,
    }
}
