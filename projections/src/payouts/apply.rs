//! What events make of payouts.

use super::table::PayoutRow;
use crate::fact::{Event, Fact, Problem};
use crate::model::Fold;
use crate::rows::{Rows, TableRows};
use viral_domain::payout::{PayoutEvent, Requested, Status};

#[derive(Default)]
pub(super) struct Payouts {
    payouts: Rows<PayoutRow>,
}

impl Fold for Payouts {
    fn touch(&mut self, event: &Event) {
        self.payouts.want(event.aggregate);
    }

    fn apply(&mut self, event: &Event) -> Result<(), Problem> {
        let Fact::Payout(fact) = &event.fact else { return Ok(()) };
        if let PayoutEvent::Requested(requested) = fact {
            return self.payouts.add(payout(event, requested));
        }
        let row = self.payouts.change(event.aggregate)?;
        row.updated_at = event.recorded_at;
        change(row, event, fact);
        Ok(())
    }

    fn tables(&mut self) -> Vec<&mut dyn TableRows> {
        vec![&mut self.payouts]
    }
}

fn change(row: &mut PayoutRow, event: &Event, fact: &PayoutEvent) {
    let (status, reason) = match fact {
        PayoutEvent::Requested(_) => return,
        PayoutEvent::SponsorApproved(approval) => {
            row.sponsor_approved_by = Some(approval.by.clone());
            row.sponsor_approved_at = Some(event.recorded_at);
            (Status::SponsorApproved, None)
        }
        PayoutEvent::Approved(approved) => {
            if let Some(approval) = &approved.admin {
                row.admin_approved_by = Some(approval.by.clone());
                row.admin_approved_at = Some(event.recorded_at);
            }
            (Status::Approved, None)
        }
        PayoutEvent::Submitted(submitted) => {
            row.attempt = submitted.attempt;
            row.provider = Some(submitted.provider.clone());
            (Status::Submitted, None)
        }
        PayoutEvent::AttemptFailed(attempt) => (Status::Approved, attempt.reason.clone()),
        PayoutEvent::Unknown(attempt) => (Status::Unknown, attempt.reason.clone()),
        PayoutEvent::Settled(settled) => {
            row.provider_reference.clone_from(&settled.provider_reference);
            (Status::Settled, None)
        }
        PayoutEvent::Failed(ended) => (Status::Failed, ended.reason.clone()),
        PayoutEvent::Rejected(ended) => (Status::Rejected, ended.reason.clone()),
        PayoutEvent::Cancelled(ended) => (Status::Cancelled, ended.reason.clone()),
        PayoutEvent::Held(flag) => {
            if !row.held_by.contains(&flag.flag) {
                row.held_by.push(flag.flag);
            }
            return;
        }
        PayoutEvent::Released(flag) => return row.held_by.retain(|held| *held != flag.flag),
    };
    row.status = status.as_str().to_owned();
    row.reason = reason;
}

fn payout(event: &Event, requested: &Requested) -> PayoutRow {
    PayoutRow {
        id: event.aggregate,
        creator_id: requested.creator.0,
        campaign_id: requested.campaign.0,
        sponsor_id: requested.sponsor.0,
        amount_vcoin: requested.amount_vcoin,
        fiat_amount: requested.fiat.amount.to_text(requested.fiat.asset),
        fiat_asset: requested.fiat.asset.code().to_owned(),
        rate: requested.rate,
        digest: requested.digest.clone(),
        status: Status::Requested.as_str().to_owned(),
        needs_admin: requested.amount_vcoin > requested.admin_limit_vcoin,
        attempt: 0,
        attempts: requested.attempts,
        held_by: Vec::new(),
        sponsor_approved_by: None,
        sponsor_approved_at: None,
        admin_approved_by: None,
        admin_approved_at: None,
        provider: None,
        provider_reference: None,
        reason: None,
        requested_at: event.recorded_at,
        updated_at: event.recorded_at,
        position: 0,
    }
}
