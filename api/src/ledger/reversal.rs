//! Reversing a transaction, once.
//!
//! The unit has two events. The first one is the only event of the stream `reversal/<original>`, at expected sequence
//! 0, and has the unit's id, which stands for the key: the same request repeated finds its answer, any other request
//! finds the stream taken. The second one is the mirrored transaction, whose id derives from the original's.

use super::transactions::posted;
use super::views::{self, TransactionView, unknown_transaction};
use crate::error::{self, Addressed};
use crate::parse::{self, Place};
use crate::problem::Problem;
use crate::state::AppState;
use crate::write::Write;
use axum::extract::{Path, State};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use viral_commands::{NewEvent, Part};
use viral_ledger::{Command, ReversalEvent, ReversalRequested, Transaction, ids};
use viral_store::StreamId;

/// Why a transaction is undone.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ReversalReason)]
#[serde(deny_unknown_fields)]
pub(super) struct Reason {
    /// One line for people.
    reason: Option<String>,
}

/// Reverse a transaction
///
/// Posts the mirror image, effective now. A transaction is reversed once: later requests with other keys are 409
/// `already_reversed`.
#[utoipa::path(
    post, path = "/v1/ledger/transactions/{id}/reverse", operation_id = "reverseTransaction", tag = "transactions",
    params(("id" = Uuid, Path, description = "The transaction's id", example = "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11")),
    request_body(content = Option<Reason>, example = json!({"reason": "returned"})),
    responses((status = 201, description = "The reversal", body = TransactionView,
        example = json!({"id": "0199a3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
            "position": "9", "recorded_at": "2026-03-01T12:00:00.000000Z", "actor": "operator", "code": "reversal", "description": "returned",
            "effective_at": "2026-03-01T12:00:00.000000Z", "reverses": "5c1d0c9e-6f0f-8d8b-a1f2-0d7c7f1f5a11",
            "postings": [{"amount": "12.50", "asset": "USD", "credit": "shop:alice", "debit": "shop:bob"}]}))),
)]
pub(super) async fn reverse(
    State(state): State<AppState>,
    Path(id): Path<String>,
    write: Write<Reason>,
) -> Result<Response, Problem> {
    let original = parse::id(&id)?;
    let event = state
        .writer()?
        .store()
        .find(original)
        .await?
        .ok_or_else(|| unknown_transaction(original))?;
    let transaction = views::transaction(&event)?.ok_or_else(|| unknown_transaction(original))?;
    for (number, posting) in (1..).zip(&transaction.postings) {
        Place::posting(number, "debit").not_reserved(&posting.debit)?;
        Place::posting(number, "credit").not_reserved(&posting.credit)?;
    }
    let parts = parts(original, transaction, write.body.reason.clone())?;
    let path = format!("/v1/ledger/transactions/{original}/reverse");
    let operation = "ledger.transaction.reverse";
    let written = write
        .append(&state, operation, &path, Addressed::Transaction, parts)
        .await?;
    posted(&written)
}

fn parts(original: Uuid, transaction: Transaction, reason: Option<String>) -> Result<Vec<Part>, Problem> {
    let reversal = ids::reversal_of(original);
    let requested = ReversalEvent::Requested(ReversalRequested {
        original,
        reason: reason.clone(),
        reversal,
    });
    let requested =
        NewEvent::new(requested.event_type(), requested.version(), &requested).map_err(|e| error::internal(&e))?;
    Ok(vec![
        Part::Events {
            stream: StreamId::new(ReversalEvent::AGGREGATE_TYPE, original.to_string()),
            expected: 0,
            events: vec![requested],
        },
        Part::Ledger {
            id: Some(reversal),
            command: Command::Reverse {
                original,
                is_reversal: transaction.reverses.is_some(),
                postings: transaction.postings,
                reason,
            },
        },
    ])
}
