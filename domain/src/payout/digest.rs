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
