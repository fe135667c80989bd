//! What happens to a payout.

use crate::aggregate::DomainEvent;
use crate::effects::{self, Effect};
use crate::ids::{CampaignId, FlagId, PayoutId, UserId};
use crate::money::{Money, Rate, Vcoin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_ledger::event_types;

/// An event of stream `payout/<id>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum PayoutEvent {
    /// A creator asks for money: V-Coin moves from the wallet to the payout's own account.
    #[serde(rename = "payout.requested")]
    Requested(Requested),
    /// The campaign's sponsor agrees.
    #[serde(rename = "payout.sponsor_approved")]
    SponsorApproved(Approval),
    /// Everybody who must agree has: it may be sent.
    #[serde(rename = "payout.approved")]
    Approved(Approved),
    /// It was handed to the payment provider.
    #[serde(rename = "payout.submitted")]
    Submitted(Submitted),
    /// This attempt definitely did not pay: it may be sent again.
    #[serde(rename = "payout.attempt_failed")]
    AttemptFailed(Attempt),
    /// Nobody knows yet whether this attempt paid: nothing is sent until that is clear.
    #[serde(rename = "payout.unknown")]
    Unknown(Attempt),
    /// The creator has the money: the V-Coin is redeemed.
    #[serde(rename = "payout.settled")]
    Settled(Settled),
    /// It will not be paid; the V-Coin is back in the wallet.
    #[serde(rename = "payout.failed")]
    Failed(Ended),
    /// The sponsor or an admin refuses; the V-Coin is back in the wallet.
    #[serde(rename = "payout.rejected")]
    Rejected(Ended),
    /// The creator took the request back; the V-Coin is back in the wallet.
    #[serde(rename = "payout.cancelled")]
    Cancelled(Ended),
    /// A suspicion of fraud stops it for now.
    #[serde(rename = "payout.held")]
    Held(FlagOfPayout),
    /// A suspicion was dismissed.
    #[serde(rename = "payout.released")]
    Released(FlagOfPayout),
}

/// A payout was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requested {
    /// Above this an admin must approve too.
    pub admin_limit_vcoin: Vcoin,
    /// How much.
    pub amount_vcoin: Vcoin,
    /// How often it is sent before it has failed for good.
    pub attempts: u32,
    /// Where it was earned.
    pub campaign: CampaignId,
    /// The payee, who asks.
    pub creator: UserId,
    /// What approvals are bound to: SHA-256, in hexadecimal digits, of payout, payee, campaign, amount and fiat money.
    pub digest: String,
    /// What the payee gets.
    pub fiat: Money,
    /// Which payout.
    pub payout: PayoutId,
    /// What one V-Coin is worth in it.
    pub rate: Rate,
    /// Who must approve: the campaign's sponsor.
    pub sponsor: UserId,
    /// The ledger's transaction.
    pub transaction: Uuid,
}

/// How somebody proved, beside the token, to be who approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    /// Not at all: on a developer's machine only.
    None,
    /// A time-based one-time password (RFC 6238).
    Totp,
}

/// Somebody approved a payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// What was approved.
    pub digest: String,
    /// Which payout.
    pub payout: PayoutId,
    /// How the approver proved it.
    pub second_factor: SecondFactor,
}

/// A payout has all the approvals it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The admin's approval, where one was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<Approval>,
    /// Which payout.
    pub payout: PayoutId,
}

/// An attempt to pay was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Submitted {
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Which payout.
    pub payout: PayoutId,
    /// Who pays: `manual` is a person at a bank.
    pub provider: String,
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// Which attempt.
    pub attempt: u32,
    /// Which payout.
    pub payout: PayoutId,
    /// What the provider said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A payout was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    /// How much V-Coin was redeemed.
    pub amount_vcoin: Vcoin,
    /// By which attempt.
    pub attempt: u32,
    /// What the payee got.
    pub fiat: Money,
    /// Which payout.
    pub payout: PayoutId,
    /// The provider's own id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// The ledger's transaction.
    pub transaction: Uuid,
}

/// A payout ended without payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ended {
    /// How much is back in the wallet.
    pub amount_vcoin: Vcoin,
    /// Whose wallet.
    pub creator: UserId,
    /// Which payout.
    pub payout: PayoutId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ledger's transaction.
    pub transaction: Uuid,
}

/// A suspicion that concerns a payout came up or went away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlagOfPayout {
    /// Which suspicion.
    pub flag: FlagId,
    /// Which payout.
    pub payout: PayoutId,
}

event_types!(PayoutEvent {
    Requested => "payout.requested" "1",
    SponsorApproved => "payout.sponsor_approved" "1",
    Approved => "payout.approved" "1",
    Submitted => "payout.submitted" "1",
    AttemptFailed => "payout.attempt_failed" "1",
    Unknown => "payout.unknown" "1",
    Settled => "payout.settled" "1",
    Failed => "payout.failed" "1",
    Rejected => "payout.rejected" "1",
    Cancelled => "payout.cancelled" "1",
    Held => "payout.held" "1",
    Released => "payout.released" "1",
});

impl DomainEvent for PayoutEvent {
    fn effects(&self) -> Vec<Effect> {
        match self {
            PayoutEvent::Requested(requested) => requested.effects(),
            PayoutEvent::Settled(settled) => vec![settled.effect()],
            PayoutEvent::Failed(ended) | PayoutEvent::Rejected(ended) | PayoutEvent::Cancelled(ended) => {
                vec![ended.effect()]
            }
            _ => Vec::new(),
        }
    }
}

impl Requested {
    fn effects(&self) -> Vec<Effect> {
        let (from, to) = (effects::wallet(self.creator), effects::pending(self.payout));
        let postings = vec![effects::vcoin(from, to.clone(), self.amount_vcoin)];
        let transaction = effects::transaction("payout_request", "payout", self.payout.0, postings);
        vec![effects::open(to), effects::post(self.transaction, transaction)]
    }
}

impl Settled {
    fn effect(&self) -> Effect {
        let asset = self.fiat.asset;
        let postings = vec![
            effects::vcoin(effects::pending(self.payout), effects::issuance(), self.amount_vcoin),
            effects::fiat(effects::backing(asset), effects::clearing(asset), self.fiat),
        ];
        effects::post(
            self.transaction,
            effects::transaction("payout", "payout", self.payout.0, postings),
        )
    }
}

impl Ended {
    fn effect(&self) -> Effect {
        let (from, to) = (effects::pending(self.payout), effects::wallet(self.creator));
        let postings = vec![effects::vcoin(from, to, self.amount_vcoin)];
        effects::post(
            self.transaction,
            effects::transaction("payout_return", "payout", self.payout.0, postings),
        )
    }
}
