//! What a creator earned: rewards less fees, by campaign and by month.

use super::QueryError;
use super::snapshot::{Snapshot, select};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use viral_domain::{UserId, Vcoin};

/// What a creator earned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Earnings {
    /// Altogether.
    pub total_vcoin: Vcoin,
    /// In each campaign, the most first.
    pub by_campaign: Vec<CampaignEarnings>,
    /// In each month (UTC), the oldest first.
    pub by_month: Vec<MonthEarnings>,
}

/// What a creator earned in a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CampaignEarnings {
    /// Which campaign.
    pub campaign_id: Uuid,
    /// Its title; nothing while that cannot be shown.
    pub title: Option<String>,
    /// What was earned there.
    pub earned_vcoin: Vcoin,
    /// What of it is neither paid out nor on its way.
    pub payable_vcoin: Vcoin,
}

/// What a creator earned in a month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MonthEarnings {
    /// Which month, `2026-03`.
    pub month: String,
    /// What was earned in it.
    pub earned_vcoin: Vcoin,
}

/// Payouts that ended without payment count no longer.
pub(super) async fn of(snapshot: &mut Snapshot, creator: UserId) -> Result<Earnings, QueryError> {
    let by_campaign = select!(
        r#"SELECT e.campaign_id, c.title, e.earned::text AS earned_vcoin,
             GREATEST(e.earned - COALESCE(p.taken, 0), 0)::numeric(38,4)::text AS payable_vcoin
           FROM (SELECT campaign_id, sum(net_vcoin) AS earned
                 FROM creator_assignments
                 WHERE creator_id = $1 AND assignment_status = 'approved'
                 GROUP BY campaign_id) e
           LEFT JOIN (SELECT campaign_id, sum(amount_vcoin) AS taken
                      FROM payouts
                      WHERE creator_id = $1 AND status NOT IN ('rejected', 'cancelled', 'failed')
                      GROUP BY campaign_id) p ON p.campaign_id = e.campaign_id
           LEFT JOIN campaigns c ON c.id = e.campaign_id
           ORDER BY e.earned DESC, e.campaign_id"#
    );
    let by_month = select!(
        r#"SELECT to_char(resolved_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, sum(net_vcoin)::text AS earned_vcoin
           FROM creator_assignments
           WHERE creator_id = $1 AND assignment_status = 'approved'
           GROUP BY 1
           ORDER BY 1"#
    );
    let by_campaign: Vec<CampaignEarnings> = snapshot.rows(by_campaign.bind(creator.0)).await?;
    let by_month = snapshot.rows(by_month.bind(creator.0)).await?;
    let mut earned = by_campaign.iter().map(|campaign| campaign.earned_vcoin);
    let total_vcoin = earned.try_fold(Vcoin::ZERO, Vcoin::checked_add);
    Ok(Earnings {
        total_vcoin: total_vcoin.ok_or_else(QueryError::uncountable)?,
        by_campaign,
        by_month,
    })
}
