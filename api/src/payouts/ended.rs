//! What the end of a payout that is not paid looks like.

use crate::openapi::schemas;
use crate::problem::Problem;
use crate::recorded::Recorded;
use crate::write::Written;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use viral_domain::Vcoin;
use viral_domain::payout::{Payout, PayoutEvent, Status};

/// A payout that will not be paid.
#[derive(Serialize, ToSchema)]
pub(super) struct EndedPayout {
    /// The payout's id.
    id: Uuid,
    /// `cancelled` or `rejected`.
    status: &'static str,
    /// How much is back in the wallet.
    #[schema(value_type = schemas::Vcoin)]
    amount_vcoin: Vcoin,
    /// Why.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The ledger's transaction, back into the wallet.
    transaction_id: Uuid,
    #[serde(flatten)]
    recorded: Recorded,
}

/// The answer to a unit that ended a payout.
pub(super) fn ended(written: &Written) -> Result<Response, Problem> {
    let (status, ended) = written.find::<Payout, _>(|event| match event {
        PayoutEvent::Cancelled(ended) => Some((Status::Cancelled, ended)),
        PayoutEvent::Rejected(ended) => Some((Status::Rejected, ended)),
        _ => None,
    })?;
    let answer = EndedPayout {
        id: ended.payout.0,
        status: status.as_str(),
        amount_vcoin: ended.amount_vcoin,
        reason: ended.reason,
        transaction_id: ended.transaction,
        recorded: written.recorded()?,
    };
    written.answer(StatusCode::OK, None, &answer)
}
