//! What events do to the ledger. This is the only way in which the platform's own accounts move: the unit of an event
//! posts what the event says, and nothing else.

use crate::ids::{CampaignId, PayoutId, UserId};
use crate::money::{Money, Vcoin};
use std::collections::BTreeMap;
use uuid::Uuid;
use viral_ledger::{Address, Asset, Code, Command, NewTransaction, NormalSide, Posting, Reference};

/// A command to the ledger that follows from an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// The id of the book's event, where the domain's event names it; fresh if absent.
    pub id: Option<Uuid>,
    /// The command.
    pub command: Command,
}

/// A user's wallet.
pub fn wallet(user: UserId) -> Address {
    address(&format!("user:{user}:wallet"))
}

/// A campaign's escrow.
pub fn escrow(campaign: CampaignId) -> Address {
    address(&format!("campaign:{campaign}:escrow"))
}

/// Where a payout's money waits.
pub fn pending(payout: PayoutId) -> Address {
    address(&format!("payout:{payout}:pending"))
}

/// The platform's share of rewards.
pub fn fees() -> Address {
    address("platform:fees")
}

/// All V-Coin that was issued and not redeemed.
pub fn issuance() -> Address {
    address("platform:issuance")
}

/// What the platform owes for the V-Coin in circulation, in fiat money.
pub fn backing(fiat: Asset) -> Address {
    address(&format!("platform:{}:backing", fiat.code().to_lowercase()))
}

/// Fiat money at the payment provider.
pub fn clearing(fiat: Asset) -> Address {
    address(&format!("stripe:{}:clearing", fiat.code().to_lowercase()))
}

/// Texts made of fixed words, ids and currency codes are addresses.
#[allow(clippy::expect_used)]
fn address(text: &str) -> Address {
    Address::parse(text).expect("fixed words, UUIDs and letters joined by colons")
}

/// The platform's own accounts: they are opened once, before anything is bought.
pub fn platform_accounts(fiat: Asset) -> Vec<Command> {
    let open = |account, asset, normal_side| Command::OpenAccount {
        account,
        asset,
        normal_side,
        may_go_negative: false,
    };
    vec![
        open(issuance(), Asset::VCOIN, NormalSide::Debit),
        open(fees(), Asset::VCOIN, NormalSide::Credit),
        open(backing(fiat), fiat, NormalSide::Credit),
        open(clearing(fiat), fiat, NormalSide::Debit),
    ]
}

/// Opens an account of V-Coin that may not go negative.
pub(crate) fn open(account: Address) -> Effect {
    Effect {
        id: None,
        command: Command::OpenAccount {
            account,
            asset: Asset::VCOIN,
            normal_side: NormalSide::Credit,
            may_go_negative: false,
        },
    }
}

/// A movement of V-Coin.
pub(crate) fn vcoin(debit: Address, credit: Address, amount: Vcoin) -> Posting {
    Posting {
        debit,
        credit,
        amount: amount.0,
        asset: Asset::VCOIN,
    }
}

/// A movement of fiat money.
pub(crate) fn fiat(debit: Address, credit: Address, money: Money) -> Posting {
    Posting {
        debit,
        credit,
        amount: money.amount,
        asset: money.asset,
    }
}

/// A transaction about something.
pub(crate) fn transaction(code: &str, kind: &str, id: Uuid, postings: Vec<Posting>) -> NewTransaction {
    NewTransaction {
        // The codes are words of this crate, in lower case.
        code: Code::parse(code).unwrap_or(Code::TRANSFER),
        description: None,
        effective_at: None,
        metadata: BTreeMap::new(),
        postings: postings
            .into_iter()
            .filter(|posting| posting.amount.is_positive())
            .collect(),
        reference: Some(reference(kind, id)),
    }
}

/// Posts a transaction under the id that the event names.
pub(crate) fn post(id: Uuid, transaction: NewTransaction) -> Effect {
    Effect {
        id: Some(id),
        command: Command::Post(transaction),
    }
}

/// What a transaction or a hold is about.
pub(crate) fn reference(kind: &str, id: Uuid) -> Reference {
    Reference {
        id: id.to_string(),
        kind: kind.to_owned(),
    }
}
