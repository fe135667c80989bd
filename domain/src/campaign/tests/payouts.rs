//! What creators take out of what they earned.

use super::*;
use crate::given::given;

fn earned() -> Vec<CampaignEvent> {
    [at_work(), vec![paid(first(), CREATOR)]].concat()
}

fn reserved() -> Vec<CampaignEvent> {
    [earned(), vec![CampaignEvent::PayoutReserved(payout("60"))]].concat()
}

#[test]
fn no_more_is_reserved_than_was_earned() {
    let state = given::<Campaign>(earned())
        .when(reserve("60"))
        .then([CampaignEvent::PayoutReserved(payout("60"))])
        .state();
    assert_eq!(state.payable(CREATOR), vcoin("35"));
    assert_eq!(state.payouts_of(None).collect::<Vec<_>>(), [PAYOUT]);
    assert_eq!(state.payouts_of(Some(CREATOR)).collect::<Vec<_>>(), [PAYOUT]);
    assert_eq!(state.payouts_of(Some(OTHER)).count(), 0);
    let second = |amount| CampaignCommand::ReservePayout {
        payout: PayoutId(Uuid::from_u128(99)),
        creator: CREATOR,
        amount: vcoin(amount),
    };
    given::<Campaign>(reserved())
        .when(second("35.0001"))
        .then_error(CampaignError::PayoutExceedsEarnings {
            payable: sum("35"),
            requested: vcoin("35.0001"),
        });
    assert!(given::<Campaign>(reserved()).when(second("35")).answer().is_ok());
    given::<Campaign>(reserved())
        .when(reserve("1"))
        .then_error(CampaignError::PayoutExists { payout: PAYOUT });
    given::<Campaign>(earned())
        .when(reserve("0"))
        .then_error(CampaignError::InvalidAmount);
    given::<Campaign>([])
        .when(reserve("1"))
        .then_error(CampaignError::Unknown);
}

#[test]
fn who_earned_nothing_here_gets_nothing() {
    given::<Campaign>(running())
        .when(reserve("1"))
        .then_error(CampaignError::PayoutExceedsEarnings {
            payable: VcoinSum::ZERO,
            requested: vcoin("1"),
        });
}

#[test]
fn earnings_outlive_the_campaign() {
    given::<Campaign>(closed())
        .when(reserve("95"))
        .then([CampaignEvent::PayoutReserved(payout("95"))]);
}

#[test]
fn a_payout_that_did_not_happen_can_be_asked_for_again() {
    let state = given::<Campaign>(reserved())
        .when(CampaignCommand::ReturnPayout { payout: PAYOUT })
        .then([CampaignEvent::PayoutReturned(payout("60"))])
        .state();
    assert_eq!(state.payable(CREATOR), vcoin("95"));
    assert_eq!(state.payouts_of(None).count(), 0);
    given::<Campaign>(earned())
        .when(CampaignCommand::ReturnPayout { payout: PAYOUT })
        .then_error(CampaignError::UnknownPayout { payout: PAYOUT });
}

#[test]
fn a_payout_that_was_made_is_gone() {
    let settle = || CampaignCommand::SettlePayout { payout: PAYOUT };
    let state = given::<Campaign>(reserved())
        .when(settle())
        .then([CampaignEvent::PayoutSettled(payout("60"))])
        .state();
    assert_eq!(state.payable(CREATOR), vcoin("35"));
    let earnings = state.earnings[&CREATOR];
    assert_eq!((earnings.reserved, earnings.paid_out), (VcoinSum::ZERO, sum("60")));
    given::<Campaign>(earned())
        .when(settle())
        .then_error(CampaignError::UnknownPayout { payout: PAYOUT });
}
