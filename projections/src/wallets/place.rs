//! What an address says about its account. Only accounts of users, campaigns, payouts and the platform have rows;
//! those that imports open are many and belong to nobody here.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_ledger::{Address, ids};

/// What an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Wallet,
    Escrow,
    Payout,
    Platform,
}

/// An address, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// The user, campaign or payout that it names.
    pub(super) owner: Option<Uuid>,
}

impl Place {
    /// None if accounts at this address have no row.
    pub(super) fn of(address: &Address) -> Option<Place> {
        let mut segments = address.as_str().split(':');
        let kind = match segments.next()? {
            "user" => Kind::Wallet,
            "campaign" => Kind::Escrow,
            "payout" => Kind::Payout,
            "platform" => Kind::Platform,
            _ => return None,
        };
        let owner = segments.next().and_then(|segment| segment.parse().ok());
        Some(Place { kind, owner })
    }

    /// The owner, if the account is of this kind.
    pub(super) fn owner_if(&self, kind: Kind) -> Option<Uuid> {
        self.owner.filter(|_| self.kind == kind)
    }
}

/// The key of an account.
pub(super) fn account_id(address: &Address) -> Uuid {
    ids::derived("account", &[address.as_str().as_bytes()])
}

/// The key of an account's part in a posting of a transaction.
pub(super) fn leg_id(transaction: Uuid, account: &Address, posting: usize) -> Uuid {
    let place = (posting as u64).to_be_bytes();
    ids::derived(
        "wallet_transaction",
        &[transaction.as_bytes(), account.as_str().as_bytes(), &place],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_say_whose_account_it_is() {
        let id = "0195a2f0-0000-7000-8000-000000000001";
        let place = |text: &str| Place::of(&Address::parse(text).unwrap());
        let owner = id.parse().ok();
        assert_eq!(
            place(&format!("user:{id}:wallet")),
            Some(Place {
                kind: Kind::Wallet,
                owner
            })
        );
        assert_eq!(
            place(&format!("campaign:{id}:escrow")),
            Some(Place {
                kind: Kind::Escrow,
                owner
            })
        );
        assert_eq!(
            place("platform:fees"),
            Some(Place {
                kind: Kind::Platform,
                owner: None
            })
        );
        assert_eq!(place("users:1"), None);
        assert_eq!(place("stripe:usd:clearing"), None);
    }

    #[test]
    fn keys_differ_by_transaction_account_and_posting() {
        let (a, b) = (Address::parse("a").unwrap(), Address::parse("b").unwrap());
        let one = Uuid::from_u128(1);
        let ids = [
            leg_id(one, &a, 0),
            leg_id(one, &b, 0),
            leg_id(one, &a, 1),
            leg_id(Uuid::nil(), &a, 0),
        ];
        assert_eq!(std::collections::HashSet::from(ids).len(), 4);
    }
}
