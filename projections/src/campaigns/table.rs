//! Tables `campaigns`, `campaign_missions` and `creator_assignments`.

use crate::rows::row;
use crate::table::Table;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;
use viral_domain::{BasisPoints, Requirements, Vcoin};
use viral_ledger::timestamp;

pub(super) const CAMPAIGNS: Table = Table {
    name: "campaigns",
    columns: &[
        ("sponsor_id", "uuid NOT NULL"),
        ("type", "text NOT NULL"),
        ("title", "text NOT NULL"),
        ("description", "text NOT NULL"),
        ("kpi_config", "jsonb NOT NULL"),
        ("budget_vcoin", "numeric(38,4) NOT NULL"),
        ("status", "text NOT NULL"),
        ("start_at", "timestamptz NOT NULL"),
        ("end_at", "timestamptz NOT NULL"),
        ("funded_vcoin", "numeric(38,4) NOT NULL"),
        ("held_vcoin", "numeric(38,4) NOT NULL"),
        ("paid_vcoin", "numeric(38,4) NOT NULL"),
        ("returned_vcoin", "numeric(38,4) NOT NULL"),
        ("created_at", "timestamptz NOT NULL"),
        ("updated_at", "timestamptz NOT NULL"),
        ("position", "bigint NOT NULL"),
    ],
    indexes: &["sponsor_id, created_at", "status, created_at", "created_at, id"],
};

pub(super) const MISSIONS: Table = Table {
    name: "campaign_missions",
    columns: &[
        ("campaign_id", "uuid NOT NULL"),
        ("mission_type", "text NOT NULL"),
        ("requirements", "jsonb NOT NULL"),
        ("reward_vcoin", "numeric(38,4) NOT NULL"),
        ("status", "text NOT NULL"),
        ("deadline", "timestamptz NOT NULL"),
        ("places", "bigint NOT NULL"),
        ("places_taken", "bigint NOT NULL"),
        ("open_call", "boolean NOT NULL"),
        ("created_at", "timestamptz NOT NULL"),
        ("position", "bigint NOT NULL"),
    ],
    indexes: &["campaign_id, created_at", "status, open_call, deadline"],
};

pub(super) const ASSIGNMENTS: Table = Table {
    name: "creator_assignments",
    columns: &[
        ("campaign_id", "uuid NOT NULL"),
        ("creator_id", "uuid NOT NULL"),
        ("mission_id", "uuid NOT NULL"),
        ("assignment_status", "text NOT NULL"),
        ("deliverable_url", "text"),
        ("metrics", "jsonb NOT NULL"),
        ("sponsor_id", "uuid NOT NULL"),
        ("stream_id", "uuid"),
        ("deliverable", "jsonb"),
        ("reward_vcoin", "numeric(38,4) NOT NULL"),
        ("fee_bps", "integer"),
        ("fee_vcoin", "numeric(38,4)"),
        ("net_vcoin", "numeric(38,4)"),
        ("submissions", "bigint NOT NULL"),
        ("deadline", "timestamptz NOT NULL"),
        ("reason", "text"),
        ("invited_at", "timestamptz"),
        ("accepted_at", "timestamptz"),
        ("submitted_at", "timestamptz"),
        ("resolved_at", "timestamptz"),
        ("updated_at", "timestamptz NOT NULL"),
        ("position", "bigint NOT NULL"),
    ],
    indexes: &[
        "creator_id, assignment_status",
        "campaign_id, deadline",
        "mission_id",
        "assignment_status, deadline",
    ],
};

/// A campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct CampaignRow {
    pub(super) id: Uuid,
    pub(super) sponsor_id: Uuid,
    #[serde(rename = "type")]
    pub(super) campaign_type: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) kpi_config: Map<String, Value>,
    pub(super) budget_vcoin: Vcoin,
    pub(super) status: String,
    #[serde(with = "timestamp")]
    pub(super) start_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    pub(super) end_at: DateTime<Utc>,
    /// What was put into the escrow; what is there is this less the three below.
    pub(super) funded_vcoin: Vcoin,
    /// What is held there for work that goes on.
    pub(super) held_vcoin: Vcoin,
    /// What was paid out of it, fees included.
    pub(super) paid_vcoin: Vcoin,
    /// What went back to the sponsor.
    pub(super) returned_vcoin: Vcoin,
    #[serde(with = "timestamp")]
    pub(super) created_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    pub(super) updated_at: DateTime<Utc>,
    pub(super) position: u64,
}

row!(CampaignRow, CAMPAIGNS, "campaign");

/// A mission of a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MissionRow {
    pub(super) id: Uuid,
    pub(super) campaign_id: Uuid,
    pub(super) mission_type: String,
    pub(super) requirements: Requirements,
    pub(super) reward_vcoin: Vcoin,
    pub(super) status: String,
    #[serde(with = "timestamp")]
    pub(super) deadline: DateTime<Utc>,
    /// How many creators may be paid for it.
    pub(super) places: u32,
    /// How many work on it or were paid.
    pub(super) places_taken: u32,
    /// Every creator may take part without an invitation.
    pub(super) open_call: bool,
    #[serde(with = "timestamp")]
    pub(super) created_at: DateTime<Utc>,
    pub(super) position: u64,
}

row!(MissionRow, MISSIONS, "mission");

/// A creator's part in a mission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AssignmentRow {
    pub(super) id: Uuid,
    pub(super) campaign_id: Uuid,
    pub(super) creator_id: Uuid,
    pub(super) mission_id: Uuid,
    pub(super) assignment_status: String,
    pub(super) deliverable_url: Option<String>,
    /// Measurements of the work; empty until somebody measures.
    pub(super) metrics: Map<String, Value>,
    pub(super) sponsor_id: Uuid,
    pub(super) stream_id: Option<Uuid>,
    /// The whole deliverable as it was handed in last.
    pub(super) deliverable: Option<Value>,
    pub(super) reward_vcoin: Vcoin,
    pub(super) fee_bps: Option<BasisPoints>,
    pub(super) fee_vcoin: Option<Vcoin>,
    pub(super) net_vcoin: Option<Vcoin>,
    pub(super) submissions: u32,
    #[serde(with = "timestamp")]
    pub(super) deadline: DateTime<Utc>,
    /// Why it ended as it did, or why the work was not taken.
    pub(super) reason: Option<String>,
    #[serde(with = "timestamp::option")]
    pub(super) invited_at: Option<DateTime<Utc>>,
    #[serde(with = "timestamp::option")]
    pub(super) accepted_at: Option<DateTime<Utc>>,
    #[serde(with = "timestamp::option")]
    pub(super) submitted_at: Option<DateTime<Utc>>,
    /// When nothing was left to be done, for now: work that was not taken may be handed in again.
    #[serde(with = "timestamp::option")]
    pub(super) resolved_at: Option<DateTime<Utc>>,
    #[serde(with = "timestamp")]
    pub(super) updated_at: DateTime<Utc>,
    pub(super) position: u64,
}

row!(AssignmentRow, ASSIGNMENTS, "assignment");
