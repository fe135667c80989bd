//! What is kept, and for how long: the journals themselves are compared in `audit/tests`.

use super::*;
use serde::Serialize;
use viral_domain::campaign::Returned;
use viral_domain::payout::{Ended, FlagOfPayout};
use viral_domain::{DomainEvent, FlagId, UserId, Vcoin};
use viral_store::{Metadata, Position, StreamId, canonical};

/// An event of a unit.
fn event<E: DomainEvent + Serialize>(kind: &'static str, id: Uuid, unit: u128, event: &E) -> StoredEvent {
    let metadata = Metadata {
        actor: Some("somebody".into()),
        unit_id: Uuid::from_u128(unit),
        ..Metadata::default()
    };
    StoredEvent {
        position: Position(1),
        event_id: Uuid::from_u128(unit),
        stream: StreamId::new(kind, id.to_string()),
        sequence: 1,
        event_type: event.event_type().into(),
        event_version: event.version().into(),
        payload: canonical::to_text(event).unwrap(),
        metadata: serde_json::to_string(&metadata).unwrap(),
        recorded_at: "2026-03-01T09:00:00Z".parse().unwrap(),
    }
}

fn payout(id: Uuid, unit: u128, of: PayoutEvent) -> StoredEvent {
    event(Payout::TYPE, id, unit, &of)
}

fn approval(payout: PayoutId) -> PayoutEvent {
    PayoutEvent::SponsorApproved(Approval {
        by: "the sponsor".to_owned(),
        digest: "d".to_owned(),
        payout,
        second_factor: SecondFactor::Totp,
    })
}

#[test]
fn a_payout_is_kept_until_it_is_over() {
    let mut approvals = Approvals::default();
    let ids: Vec<PayoutId> = (1..=50).map(|id| PayoutId(Uuid::from_u128(id))).collect();
    for id in &ids {
        approvals.read(&payout(id.0, 1, approval(*id))).unwrap();
    }
    assert_eq!(approvals.payouts.len(), 50);
    let ended = |payout: PayoutId| Ended {
        amount_vcoin: Vcoin::ZERO,
        creator: UserId(Uuid::nil()),
        payout,
        reason: None,
        transaction: Uuid::from_u128(1_000 + payout.0.as_u128()),
    };
    for (unit, id) in (2..).zip(&ids) {
        approvals
            .read(&payout(id.0, unit, PayoutEvent::Failed(ended(*id))))
            .unwrap();
        // Only what this unit says waits for its transaction.
        assert_eq!(approvals.of_unit.len(), 1);
    }
    assert!(approvals.payouts.is_empty());

    let last = ids.last().unwrap();
    let trail = approvals.take(ended(*last).transaction);
    let text = "approved as sponsor by the sponsor at 2026-03-01T09:00:00.000000Z (second factor TOTP); \
                failed, recorded by somebody at 2026-03-01T09:00:00.000000Z";
    assert_eq!(trail.text().as_deref(), Some(text));
    assert_eq!(trail.approved_by(), Some("somebody"));
    assert_eq!(approvals.take(ended(*last).transaction), Trail::default());
    assert_eq!(approvals.take(ended(ids[0]).transaction), Trail::default());
}

#[test]
fn a_closing_campaign_is_kept_until_it_is_closed() {
    let mut approvals = Approvals::default();
    let campaign = CampaignId(Uuid::from_u128(1));
    let returned = |transaction| Returned {
        campaign,
        returned_vcoin: Vcoin::ZERO,
        sponsor: UserId(Uuid::nil()),
        transaction,
    };
    let read = |approvals: &mut Approvals, unit, of| {
        let event: CampaignEvent = of;
        approvals
            .read(&self::event(Campaign::TYPE, campaign.0, unit, &event))
            .unwrap();
    };
    read(&mut approvals, 1, CampaignEvent::Closing(returned(None)));
    assert!(approvals.of_unit.is_empty(), "nothing went back");
    assert_eq!(approvals.closing.len(), 1);
    let transaction = Uuid::from_u128(5);
    read(&mut approvals, 2, CampaignEvent::Closed(returned(Some(transaction))));
    assert!(approvals.closing.is_empty());
    assert_eq!(approvals.take(transaction).approved_by(), Some("somebody"));
}

#[test]
fn what_moves_nothing_leaves_nothing() {
    let mut approvals = Approvals::default();
    let id = PayoutId(Uuid::from_u128(1));
    let flag = FlagId(Uuid::from_u128(2));
    approvals
        .read(&payout(id.0, 1, PayoutEvent::Held(FlagOfPayout { flag, payout: id })))
        .unwrap();
    assert!(approvals.payouts.is_empty() && approvals.of_unit.is_empty());
    let mut damaged = payout(id.0, 2, approval(id));
    damaged.payload = damaged.payload.replace("digest", "digits");
    assert!(approvals.read(&damaged).is_err());
}
