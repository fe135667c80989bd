//! What became of an attempt to pay, as a person at a bank says. Nothing is sent again while that is not known.

use crate::openapi::schemas;
use crate::parse;
use crate::problem::Problem;
use crate::recorded::{Recorded, silent};
use crate::state::AppState;
use crate::write::{Write, Written};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::use_cases::{PayoutOutcome, ReportPayoutOutcome};
use viral_domain::payout::{Attempt, Ended, Payout, PayoutEvent, Settled, Status};
use viral_domain::{Money, PayoutId, Vcoin};

/// What became of the last attempt.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case", tag = "outcome")]
#[schema(as = ReportPayoutOutcome)]
pub(crate) enum Outcome {
    /// The creator has the money.
    Settled {
        /// Which attempt is meant: refused with 409 unless it is the last one. The last one if absent.
        attempt: Option<u32>,
        /// The provider's own id of the payment.
        provider_reference: Option<String>,
    },
    /// This attempt definitely did not pay.
    Failed {
        /// Which attempt is meant: refused with 409 unless it is the last one. The last one if absent.
        attempt: Option<u32>,
        /// What the provider said.
        reason: Option<String>,
        /// Not to be tried again: the V-Coin is back in the wallet. The last attempt is final anyway.
        #[serde(default, rename = "final")]
        finally: bool,
    },
    /// It is not known.
    Unknown {
        /// Which attempt is meant: refused with 409 unless it is the last one. The last one if absent.
        attempt: Option<u32>,
        /// What the provider said.
        reason: Option<String>,
    },
}

impl Outcome {
    fn to_commands(&self) -> PayoutOutcome {
        match self {
            Outcome::Settled { provider_reference, .. } => PayoutOutcome::Settled {
                provider_reference: provider_reference.clone(),
            },
            Outcome::Failed { reason, finally, .. } => PayoutOutcome::Failed {
                reason: reason.clone(),
                finally: *finally,
            },
            Outcome::Unknown { reason, .. } => PayoutOutcome::Unknown { reason: reason.clone() },
        }
    }

    fn attempt(&self) -> Option<u32> {
        match self {
            Outcome::Settled { attempt, .. } | Outcome::Failed { attempt, .. } | Outcome::Unknown { attempt, .. } => {
                *attempt
            }
        }
    }
}

/// A payout after an attempt to pay.
#[derive(Serialize, ToSchema)]
struct AttemptedPayout {
    /// The payout's id.
    id: Uuid,
    /// `settled`, `approved` if it can be sent again, `failed` if not, or `unknown`.
    status: &'static str,
    /// Which attempt it was, from 1.
    attempt: u32,
    #[serde(flatten)]
    end: End,
    /// What the provider said.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    recorded: Recorded,
}

/// What the end of a payout did; nothing if it goes on.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = EndOfPayout)]
struct End {
    /// How much was redeemed, or is back in the wallet.
    #[schema(value_type = schemas::Vcoin, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_vcoin: Option<Vcoin>,
    /// What the creator got.
    #[schema(value_type = schemas::Money, required = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    fiat: Option<Money>,
    /// The provider's own id of the payment.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<String>,
    /// The ledger's transaction.
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<Uuid>,
}

/// Record what became of an attempt to pay
#[utoipa::path(
    post, path = "/v1/admin/payouts/{id}/outcome", operation_id = "reportPayoutOutcome", tag = "payouts",
    params(("id" = Uuid, Path, description = "The payout's id", example = "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10")),
    request_body(content = Outcome, example = json!({"outcome": "settled", "attempt": 1, "provider_reference": "po_4711"})),
    responses((status = 200, description = "It is recorded", body = AttemptedPayout,
        example = json!({"id": "9c0e4a77-1d52-8f3b-b6a8-2e7d51c94f10", "status": "settled", "attempt": 1,
            "amount_vcoin": "80.0000", "fiat": {"amount": "0.80", "asset": "USD"}, "provider_reference": "po_4711",
            "transaction_id": "e9b2d6f4-8a31-8d07-b5c4-71c0f3e82a69", "position": "54",
            "recorded_at": "2026-03-01T12:00:00.000000Z"}))),
)]
pub(crate) async fn report(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<Outcome>,
) -> Result<Response, Problem> {
    let payout = PayoutId(parse::id(&id)?);
    let outcome = write.body.to_commands();
    let path = format!("/v1/admin/payouts/{payout}/outcome");
    let case = ReportPayoutOutcome {
        payout,
        attempt: write.body.attempt(),
        outcome,
    };
    let written = write.run(&state, "payout.outcome", &path, &case).await?;
    written.answer(StatusCode::OK, None, &attempted(&written)?)
}

fn attempted(written: &Written) -> Result<AttemptedPayout, Problem> {
    let recorded = written.recorded()?;
    let mut events = written.events_of::<Payout>().into_iter();
    match (events.next(), events.next()) {
        (Some(PayoutEvent::Settled(settled)), _) => Ok(paid(settled, recorded)),
        (Some(PayoutEvent::Unknown(attempt)), _) => Ok(unpaid(attempt, Status::Unknown, End::default(), recorded)),
        (Some(PayoutEvent::AttemptFailed(attempt)), Some(PayoutEvent::Failed(ended))) => {
            Ok(unpaid(attempt, Status::Failed, returned(&ended), recorded))
        }
        (Some(PayoutEvent::AttemptFailed(attempt)), None) => {
            Ok(unpaid(attempt, Status::Approved, End::default(), recorded))
        }
        _ => Err(silent()),
    }
}

fn paid(settled: Settled, recorded: Recorded) -> AttemptedPayout {
    AttemptedPayout {
        id: settled.payout.0,
        status: Status::Settled.as_str(),
        attempt: settled.attempt,
        end: End {
            amount_vcoin: Some(settled.amount_vcoin),
            fiat: Some(settled.fiat),
            provider_reference: settled.provider_reference,
            transaction_id: Some(settled.transaction),
        },
        reason: None,
        recorded,
    }
}

fn unpaid(attempt: Attempt, status: Status, end: End, recorded: Recorded) -> AttemptedPayout {
    AttemptedPayout {
        id: attempt.payout.0,
        status: status.as_str(),
        attempt: attempt.attempt,
        end,
        reason: attempt.reason,
        recorded,
    }
}

fn returned(ended: &Ended) -> End {
    End {
        amount_vcoin: Some(ended.amount_vcoin),
        transaction_id: Some(ended.transaction),
        ..End::default()
    }
}
