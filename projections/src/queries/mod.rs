//! What pages and reports ask the read models.
//!
//! Every answer is computed in one read-only transaction that sees one state of the database, together with the
//! checkpoints of the read models that it uses: so the parts of an answer fit each other, and the answer says how much
//! of the log it knows. Rows come out of the database as JSON and are read into the structs that the API hands out,
//! which checks every amount and every time on the way.

mod assignments;
mod campaigns;
mod dashboard;
mod due;
mod earnings;
mod error;
mod fraud_flags;
mod history;
mod kpi;
mod measurements;
mod metrics;
mod missions;
mod of_campaign;
mod page;
mod payouts;
mod position;
mod snapshot;
mod statement;
mod users;
mod wallet;

pub use assignments::Assignment;
pub use campaigns::{AssignmentCounts, Campaign, CampaignFilter, CampaignMoney, CampaignSummary, MissionCounts};
pub use dashboard::{Dashboard, Suggestion, Task};
pub use due::Due;
pub use earnings::{CampaignEarnings, Earnings, MonthEarnings};
pub use error::QueryError;
pub use fraud_flags::{FlagFilter, FlagKey, FraudFlag};
pub use kpi::KpiProgress;
pub(crate) use measurements::Of;
pub use measurements::{Engagement, EngagementFigures, Measurements};
pub(crate) use metrics::Group;
pub use metrics::{
    CampaignMetrics, CostPerResult, CreatorPerformance, Interval, MetricsFilter, Performance, PlatformPerformance,
    Point, Watermark,
};
pub use missions::Mission;
pub use page::{Page, TimeKey};
pub use payouts::{Payout, PayoutFilter};
pub use statement::{Entry, EntryKey, Statement};
pub use users::User;
pub use wallet::{Escrow, Hold, TransactionFilter, TransactionKey, Wallet, WalletTransaction};

use sqlx::PgPool;
use std::sync::Arc;
use viral_domain::UserId;
use viral_store::{EventStore, Position};

/// The read models, to be asked. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReadModels {
    pool: PgPool,
    log: Arc<dyn EventStore>,
    measurements: Measurements,
}

/// An answer, and how much of the log it knows.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// The answer.
    pub value: T,
    /// The last event that all the read models behind it contain.
    pub position: Position,
}

/// Something that belongs to a campaign, with what decides who may see it.
#[derive(Debug, Clone, PartialEq)]
pub struct OfCampaign<T> {
    /// The campaign's sponsor.
    pub sponsor_id: UserId,
    /// The campaign's status.
    pub campaign_status: String,
    /// What was asked for.
    pub value: T,
}

impl ReadModels {
    /// Asks by way of this pool, whose connections have the role `viral_app`, and reads the events of histories from the
    /// log that the read models are made of.
    pub fn new(pool: PgPool, log: Arc<dyn EventStore>) -> ReadModels {
        ReadModels {
            pool,
            log,
            measurements: Measurements::default(),
        }
    }

    /// Finds measurements of engagement here; in PostgreSQL if nothing is said.
    #[must_use]
    pub fn with_measurements(self, measurements: Measurements) -> ReadModels {
        ReadModels { measurements, ..self }
    }
}

impl<T> At<T> {
    /// The same moment, another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At {
            value: change(self.value),
            position: self.position,
        }
    }
}
