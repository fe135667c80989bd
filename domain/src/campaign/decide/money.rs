//! The escrow's filling, and what creators take out of what they earned.

use super::super::{Brief, Campaign, CampaignEvent, Funded, PayoutOfCampaign, Status};
use super::{CampaignError, Decision};
use crate::ids::{PayoutId, UserId};
use crate::money::Vcoin;
use uuid::Uuid;

impl Campaign {
    pub(super) fn fund(&self, brief: &Brief, amount: Vcoin, transaction: Uuid) -> Decision {
        self.check_status("it can be funded", &[Status::Draft, Status::Published, Status::Paused])?;
        check_amount(amount)?;
        let (budget, funded) = (brief.budget_vcoin, self.funded);
        if funded.checked_add(amount).is_none_or(|sum| sum > budget) {
            return Err(CampaignError::BudgetExceeded { budget, funded, amount });
        }
        Ok(vec![CampaignEvent::Funded(Funded {
            amount_vcoin: amount,
            campaign: self.id,
            sponsor: self.sponsor,
            transaction,
        })])
    }

    /// What was earned stays payable when the campaign is over, so the status does not matter.
    pub(super) fn reserve_payout(&self, payout: PayoutId, creator: UserId, requested: Vcoin) -> Decision {
        check_amount(requested)?;
        if self.open_payouts.contains_key(&payout) {
            return Err(CampaignError::PayoutExists { payout });
        }
        let payable = self.payable(creator);
        if payable < requested {
            return Err(CampaignError::PayoutExceedsEarnings { payable, requested });
        }
        Ok(vec![CampaignEvent::PayoutReserved(PayoutOfCampaign {
            amount_vcoin: requested,
            campaign: self.id,
            creator,
            payout,
        })])
    }

    /// A payout of what was earned here that is neither made nor given up.
    pub(super) fn open_payout(&self, payout: PayoutId) -> Result<PayoutOfCampaign, CampaignError> {
        let open = self
            .open_payouts
            .get(&payout)
            .ok_or(CampaignError::UnknownPayout { payout })?;
        Ok(PayoutOfCampaign {
            amount_vcoin: open.amount,
            campaign: self.id,
            creator: open.creator,
            payout,
        })
    }
}

fn check_amount(amount: Vcoin) -> Result<(), CampaignError> {
    if amount.is_positive() {
        return Ok(());
    }
    Err(CampaignError::InvalidAmount)
}
