//! The history of a campaign, from the log itself: its own events, those of its assignments, and what the ledger did to
//! its escrow. The read models only say which events these are.

use super::of_campaign::head;
use super::snapshot::Snapshot;
use super::{At, OfCampaign, QueryError, ReadModels};
use crate::{campaigns, wallets};
use sqlx::{PgConnection, Row as _};
use uuid::Uuid;
use viral_domain::{CampaignId, effects};
use viral_store::{Position, Selection, StoredEvent, StreamId};

/// The assignments of a campaign.
const ASSIGNMENTS: &str = "SELECT id FROM creator_assignments WHERE campaign_id = $1";

/// Where the ledger moved money of an account or resolved a hold on it. A hold's row knows the position of the event that
/// resolved it.
const POSITIONS: &str = r#"
    WITH account AS (SELECT id FROM wallet_accounts WHERE address = $1)
    SELECT t.posted_position FROM wallet_transactions t JOIN account ON account.id = t.account_id
    UNION
    SELECT h.position FROM wallet_holds h JOIN account ON account.id = h.account_id"#;

/// The holds on an account. A hold's id is that of the event that placed it.
const HOLDS: &str =
    "SELECT h.id FROM wallet_holds h JOIN wallet_accounts a ON a.id = h.account_id WHERE a.address = $1";

impl ReadModels {
    /// The events of a campaign's history after a position, in the order of the log; nothing if there is no such
    /// campaign. A page that is not full is the last one for now.
    ///
    /// There is nothing after the checkpoints: of what came later, the read models do not know all that belongs to it,
    /// and a page must not leave out what a later one would not come back to.
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
        let selection = selection(snapshot.connection(), campaign).await?;
        let known = snapshot.answer(head).await?;
        let events = self.log.select(&selection, after, known.position, limit).await?;
        Ok(known.map(|head| Some(head.with(events))))
    }
}

/// Which events belong to a campaign.
async fn selection(connection: &mut PgConnection, campaign: CampaignId) -> Result<Selection, QueryError> {
    let escrow = effects::escrow(campaign).to_string();
    let mut selection = Selection::default();
    selection.streams.push(StreamId::new("campaign", campaign.to_string()));
    for row in sqlx::query(ASSIGNMENTS)
        .bind(campaign.0)
        .fetch_all(&mut *connection)
        .await?
    {
        let id: Uuid = row.try_get(0)?;
        selection.streams.push(StreamId::new("assignment", id.to_string()));
    }
    for row in sqlx::query(HOLDS).bind(&escrow).fetch_all(&mut *connection).await? {
        selection.ids.push(row.try_get(0)?);
    }
    for row in sqlx::query(POSITIONS).bind(&escrow).fetch_all(connection).await? {
        let position: i64 = row.try_get(0)?;
        let position = u64::try_from(position)
            .map_err(|_| QueryError::Corrupt(format!("{escrow}: the position {position} of a row is negative")))?;
        selection.positions.push(Position(position));
    }
    Ok(selection)
}
