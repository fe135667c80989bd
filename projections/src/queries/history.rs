//! The history of a campaign, from the log itself: its own events, those of its assignments, and what the ledger did to
//! its escrow. The read models only say which events these are.

use super::of_campaign::head;
use super::position::column;
use super::snapshot::Snapshot;
use super::{At, OfCampaign, QueryError, ReadModels};
use crate::{campaigns, wallets};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use viral_domain::{CampaignId, effects};
use viral_store::{Position, StoredEvent, StreamId};

/// Nothing after the checkpoints: of what came later, the read models do not know all that belongs to it, and a page
/// must not leave out what a later one would not come back to.
///
/// A hold's id is that of the event that placed it; its row knows the position of the event that resolved it.
const EVENTS: &str = r#"
    WITH of_escrow AS (SELECT id FROM wallet_accounts WHERE address = $2),
    positions AS (
        SELECT position FROM events WHERE aggregate_type = 'campaign' AND aggregate_id = $1::text
        UNION
        SELECT e.position
        FROM creator_assignments a
            JOIN events e ON e.aggregate_type = 'assignment' AND e.aggregate_id = a.id::text
        WHERE a.campaign_id = $1
        UNION
        SELECT t.posted_position FROM wallet_transactions t JOIN of_escrow ON of_escrow.id = t.account_id
        UNION
        SELECT h.position FROM wallet_holds h JOIN of_escrow ON of_escrow.id = h.account_id
        UNION
        SELECT e.position
        FROM wallet_holds h JOIN of_escrow ON of_escrow.id = h.account_id JOIN events e ON e.event_id = h.id
    ),
    page AS (SELECT position FROM positions WHERE position > $3 AND position <= $4 ORDER BY position LIMIT $5)
    SELECT position, event_id, aggregate_type, aggregate_id, sequence, event_type, event_version, payload::text,
        metadata::text, recorded_at
    FROM page JOIN events USING (position)
    ORDER BY position"#;

impl ReadModels {
    /// The events of a campaign's history after a position, in the order of the log; nothing if there is no such
    /// campaign. A page that is not full is the last one for now.
    pub async fn campaign_events(
        &self,
        campaign: CampaignId,
        after: Position,
        limit: usize,
    ) -> Result<At<Option<OfCampaign<Vec<StoredEvent>>>>, QueryError> {
        let models = [&campaigns::READ_MODEL, &wallets::READ_MODEL];
        let mut snapshot = Snapshot::begin(&self.pool, &models).await?;
        let Some(head) = head(&mut snapshot, campaign, None).await? else {
            return snapshot.answer(None).await;
        };
        let query = sqlx::query(EVENTS)
            .bind(campaign.0)
            .bind(effects::escrow(campaign).to_string())
            .bind(column(after))
            .bind(column(snapshot.position()))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(snapshot.connection()).await?;
        let events: Result<Vec<StoredEvent>, QueryError> = rows.iter().map(event).collect();
        snapshot.answer(Some(head.with(events?))).await
    }
}

fn event(row: &PgRow) -> Result<StoredEvent, QueryError> {
    let text = |name: &str| row.try_get::<String, _>(name);
    let number = |name: &str| {
        let value: i64 = row.try_get(name)?;
        u64::try_from(value).map_err(|_| QueryError::Corrupt(format!("{name} of an event is negative")))
    };
    Ok(StoredEvent {
        position: Position(number("position")?),
        event_id: row.try_get("event_id")?,
        stream: StreamId::new(text("aggregate_type")?, text("aggregate_id")?),
        sequence: number("sequence")?,
        event_type: text("event_type")?.into(),
        event_version: text("event_version")?.into(),
        payload: text("payload")?,
        metadata: text("metadata")?,
        recorded_at: row.try_get("recorded_at")?,
    })
}
