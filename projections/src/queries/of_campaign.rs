//! Whose campaign something belongs to, and whether a creator can see it.

use super::campaigns::visible;
use super::snapshot::{Snapshot, select};
use super::{OfCampaign, QueryError};
use serde::Deserialize;
use viral_domain::{CampaignId, UserId};

/// The sponsor and the status of a campaign, if this creator can see it, where one is named.
pub(super) async fn head(
    snapshot: &mut Snapshot,
    id: CampaignId,
    creator_view: Option<UserId>,
) -> Result<Option<OfCampaign<()>>, QueryError> {
    #[derive(Deserialize)]
    struct Head {
        sponsor_id: UserId,
        status: String,
    }
    let query = select!(
        r#"SELECT c.sponsor_id, c.status FROM campaigns c WHERE c.id = $2 AND "#,
        visible!()
    );
    let query = query.bind(creator_view.map(|creator| creator.0)).bind(id.0);
    let head: Option<Head> = snapshot.row(query).await?;
    Ok(head.map(|head| OfCampaign {
        sponsor_id: head.sponsor_id,
        campaign_status: head.status,
        value: (),
    }))
}

impl OfCampaign<()> {
    pub(super) fn with<T>(self, value: T) -> OfCampaign<T> {
        OfCampaign {
            sponsor_id: self.sponsor_id,
            campaign_status: self.campaign_status,
            value,
        }
    }
}
