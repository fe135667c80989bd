//! Who agreed to a transaction. Journals name, beside whoever entered it, who approved it, when, and by what.
//!
//! The events of the domain say so: they stand in the unit of the transaction and name its id, and approvals of a payout
//! and the order to close a campaign come in units before. Only those of open payouts and closing campaigns are kept
//! until they are over, so memory does not grow with the log.

use crate::decode;
use crate::error::AuditError;
use std::collections::HashMap;
use uuid::Uuid;
use viral_domain::assignment::{Assignment, AssignmentEvent};
use viral_domain::campaign::{Campaign, CampaignEvent, Returned};
use viral_domain::on_ramp::{OnRamp, OnRampEvent};
use viral_domain::payout::{Approval, Ended, Payout, PayoutEvent, SecondFactor};
use viral_domain::{Aggregate, CampaignId, PayoutId};
use viral_store::StoredEvent;
use viral_store::event::time_text;

/// What somebody did so that money may move.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    what: String,
    by: Option<String>,
    at: String,
    /// What belongs to it, such as the second factor.
    detail: Option<String>,
}

impl Step {
    fn text(&self) -> String {
        let by = self.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
        let detail = self
            .detail
            .as_ref()
            .map(|detail| format!(" ({detail})"))
            .unwrap_or_default();
        format!("{}{by} at {}{detail}", self.what, self.at)
    }
}

/// Who agreed to one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trail {
    steps: Vec<Step>,
    /// Which of the steps is the approval that was still missing.
    decisive: Option<usize>,
}

impl Trail {
    /// Adds a step that approves nothing.
    fn add(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Adds an approval, which completes those before it.
    fn approve(&mut self, step: Step) {
        self.decisive = Some(self.steps.len());
        self.steps.push(step);
    }

    fn decision(&self) -> Option<&Step> {
        self.decisive.and_then(|index| self.steps.get(index))
    }

    /// Who gave the last approval that was needed. Nobody where whoever entered it needs none.
    pub(super) fn approved_by(&self) -> Option<&str> {
        self.decision()?.by.as_deref()
    }

    /// When that was: RFC 3339, UTC.
    pub(super) fn approved_at(&self) -> Option<&str> {
        self.decision().map(|step| step.at.as_str())
    }

    /// All of it for people, oldest first.
    pub(super) fn text(&self) -> Option<String> {
        let texts: Vec<String> = self.steps.iter().map(Step::text).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }
}

/// The approvals so far that a later transaction may need.
#[derive(Default)]
pub(super) struct Approvals {
    /// What the current unit's events say about its transactions.
    of_unit: HashMap<Uuid, Trail>,
    unit: Option<Uuid>,
    /// What settled the last work of a closing campaign, in the current unit.
    settlement: Option<Step>,
    payouts: HashMap<PayoutId, Trail>,
    closing: HashMap<CampaignId, Trail>,
}

impl Approvals {
    /// Takes in the next event of the log.
    pub(super) fn read(&mut self, event: &StoredEvent) -> Result<(), AuditError> {
        match &*event.stream.aggregate_type {
            Assignment::TYPE if concerns_money(&event.event_type) => {
                if let Some((event, seen)) = self.seen::<Assignment>(event)? {
                    self.assignment(event, &seen);
                }
            }
            Campaign::TYPE if concerns_money(&event.event_type) => {
                if let Some((event, seen)) = self.seen::<Campaign>(event)? {
                    self.campaign(event, &seen);
                }
            }
            OnRamp::TYPE => {
                if let Some((event, seen)) = self.seen::<OnRamp>(event)? {
                    self.on_ramp(event, &seen);
                }
            }
            Payout::TYPE => {
                if let Some((event, seen)) = self.seen::<Payout>(event)? {
                    self.payout(event, &seen);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The trail of a transaction, whose unit's earlier events were read.
    pub(super) fn take(&mut self, transaction: Uuid) -> Trail {
        self.of_unit.remove(&transaction).unwrap_or_default()
    }

    fn seen<A: Aggregate>(&mut self, event: &StoredEvent) -> Result<Option<(A::Event, Seen)>, AuditError> {
        let broken = |error| AuditError::broken(event.position, format!("metadata: {error}"));
        let metadata = event.parse_metadata().map_err(broken)?;
        if self.unit != Some(metadata.unit_id) {
            self.unit = Some(metadata.unit_id);
            self.of_unit.clear();
            self.settlement = None;
        }
        let seen = Seen {
            actor: metadata.actor.map(Into::into),
            at: time_text(&event.recorded_at),
        };
        Ok(decode::of::<A>(event)?.map(|read| (read, seen)))
    }

    fn assignment(&mut self, event: AssignmentEvent, seen: &Seen) {
        let what = match event {
            AssignmentEvent::Approved(approved) => {
                let mut trail = Trail::default();
                trail.approve(seen.step("work approved"));
                self.of_unit.insert(approved.transaction, trail);
                "last work approved"
            }
            AssignmentEvent::Rejected(_) => "last work rejected",
            AssignmentEvent::Withdrawn(_) => "last work withdrawn",
            AssignmentEvent::Expired(_) => "deadline of the last work passed, recorded",
            _ => return,
        };
        self.settlement = Some(seen.step(what));
    }

    fn campaign(&mut self, event: CampaignEvent, seen: &Seen) {
        match event {
            CampaignEvent::Closing(returned) => {
                let mut trail = Trail::default();
                trail.approve(seen.step("campaign closed"));
                self.closing.insert(returned.campaign, trail.clone());
                self.refund(&returned, trail);
            }
            CampaignEvent::Closed(returned) => {
                let trail = match self.closing.remove(&returned.campaign) {
                    Some(mut trail) => {
                        trail.steps.extend(self.settlement.take());
                        trail
                    }
                    None => {
                        let mut trail = Trail::default();
                        trail.approve(seen.step("campaign closed"));
                        trail
                    }
                };
                self.refund(&returned, trail);
            }
            _ => {}
        }
    }

    fn refund(&mut self, returned: &Returned, trail: Trail) {
        if let Some(transaction) = returned.transaction {
            self.of_unit.insert(transaction, trail);
        }
    }

    fn on_ramp(&mut self, event: OnRampEvent, seen: &Seen) {
        let OnRampEvent::Completed(completed) = event;
        let mut trail = Trail::default();
        trail.approve(Step {
            detail: Some(format!("fiat entry {}, {}", completed.fiat_entry, completed.fiat)),
            ..seen.step("issued")
        });
        self.of_unit.insert(completed.transaction, trail);
    }

    fn payout(&mut self, event: PayoutEvent, seen: &Seen) {
        match event {
            PayoutEvent::Requested(requested) => {
                let trail = self.payouts.entry(requested.payout).or_default();
                trail.add(seen.step("requested"));
            }
            PayoutEvent::SponsorApproved(approval) => {
                let step = seen.approval("approved as sponsor", &approval);
                self.payouts.entry(approval.payout).or_default().approve(step);
            }
            PayoutEvent::Approved(approved) => {
                if let Some(approval) = approved.admin {
                    let step = seen.approval("approved as admin", &approval);
                    self.payouts.entry(approved.payout).or_default().approve(step);
                }
            }
            PayoutEvent::Settled(settled) => {
                let trail = self.payouts.remove(&settled.payout).unwrap_or_default();
                self.of_unit.insert(settled.transaction, trail);
            }
            PayoutEvent::Rejected(ended) => self.returned(&ended, seen.step("rejected")),
            PayoutEvent::Cancelled(ended) => self.returned(&ended, seen.step("cancelled")),
            PayoutEvent::Failed(ended) => self.returned(&ended, seen.step("failed, recorded")),
            _ => {}
        }
    }

    /// A payout is over and its money goes back: whoever ended it said so, whatever was approved before.
    fn returned(&mut self, ended: &Ended, step: Step) {
        let mut trail = self.payouts.remove(&ended.payout).unwrap_or_default();
        trail.approve(step);
        self.of_unit.insert(ended.transaction, trail);
    }
}

/// Whether an event of a campaign or an assignment is worth reading: most are not, and they are long.
fn concerns_money(event_type: &str) -> bool {
    matches!(
        event_type,
        "assignment.approved"
            | "assignment.rejected"
            | "assignment.withdrawn"
            | "assignment.expired"
            | "campaign.closing"
            | "campaign.closed"
    )
}

/// Who did something, and when.
struct Seen {
    actor: Option<String>,
    at: String,
}

impl Seen {
    fn step(&self, what: &str) -> Step {
        Step {
            what: what.to_owned(),
            by: self.actor.clone(),
            at: self.at.clone(),
            detail: None,
        }
    }

    fn approval(&self, what: &str, approval: &Approval) -> Step {
        let detail = match approval.second_factor {
            SecondFactor::None => "no second factor",
            SecondFactor::Totp => "second factor TOTP",
        };
        Step {
            what: what.to_owned(),
            by: Some(approval.by.clone()),
            at: self.at.clone(),
            detail: Some(detail.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
