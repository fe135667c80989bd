//! What the approvals of a payout are bound to. An approver reads the payee and the amount, and sends back the digest of
//! what was read: if a payout ever said something else, the approval would not fit it. An auditor recomputes the digest
//! from the event `payout.requested` with `sha256sum`.

use crate::ids::{CampaignId, PayoutId, UserId};
use crate::money::{Money, Vcoin};
use sha2::{Digest, Sha256};

/// SHA-256, in lower-case hexadecimal digits, of these lines, each ended by a line feed:
///
/// ```text
/// viral payout 1
/// payout=<uuid>
/// payee=<uuid of the creator>
/// campaign=<uuid>
/// amount=<decimal> VCOIN
/// fiat=<decimal> <asset>
/// ```
///
/// UUIDs are in lower case with hyphens; the decimals have all digits of their asset, as they stand in the event.
pub fn digest(payout: PayoutId, creator: UserId, campaign: CampaignId, amount: Vcoin, fiat: Money) -> String {
    let lines = format!(
        "viral payout 1\npayout={payout}\npayee={creator}\ncampaign={campaign}\namount={amount} VCOIN\nfiat={fiat}\n"
    );
    hex::encode(Sha256::digest(lines))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;
    use viral_ledger::{Amount, Asset};

    /// What `sha256sum` says of the lines that [`digest`] documents, written out by hand.
    #[test]
    fn the_digest_is_what_sha256sum_says() {
        let id = |last: u128| Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000 + last);
        let (asset, amount) = (Asset::parse("USD").unwrap(), Vcoin::parse("4750").unwrap());
        let fiat = Money {
            amount: Amount::parse("47.5", asset).unwrap(),
            asset,
        };
        let of = |amount| digest(PayoutId(id(6)), UserId(id(3)), CampaignId(id(1)), amount, fiat);
        assert_eq!(
            of(amount),
            "329f977ed8acd217988328e9f4dc3214fd86537972c2ed9590de9911383e024d"
        );
        assert_ne!(of(Vcoin::parse("4750.0001").unwrap()), of(amount));
    }
}
