//! Schemas of values that are not types of this crate: texts with a meaning, and the types of the ledger and the domain.
//! Those have JSON Schemas of their own (by `schemars`), which OpenAPI 3.1 takes as they are.
//!
//! A field names its schema by `#[schema(value_type = schemas::Amount)]`.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema, json_schema};
use serde_json::{Map, Value};
use std::borrow::Cow;
use utoipa::openapi::RefOr;
use utoipa::{PartialSchema, ToSchema};

/// A text that means something, and its schema.
macro_rules! texts {
    ($($name:ident $schema:tt)*) => {
        $(impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        })*
    };
}

/// A name for `value_type`, and the type whose JSON Schema the document has under that name.
macro_rules! schemas {
    ($($name:ident = $type:ty;)*) => {
        $(pub(crate) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<utoipa::openapi::Schema> {
                // The document has the real one in its place, see `all`.
                RefOr::default()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        })*

        /// All schemas by their names, with those that they refer to.
        pub(super) fn all() -> Map<String, Value> {
            let settings = SchemaSettings::draft2020_12();
            let mut generator = settings
                .with(|settings| settings.definitions_path = "/components/schemas".into())
                .into_generator();
            $(generator.subschema_for::<$type>();)*
            generator.take_definitions(true)
        }
    };
}

texts! {
    Amount {
        "type": "string",
        "description": "An amount: a decimal string with at most the asset's number of fraction digits.",
        "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
        "examples": ["12.50"]
    }
    Position {
        "type": "string",
        "description": "A position in the log: a whole number as a decimal string. 0 is before the first event.",
        "pattern": "^(0|[1-9][0-9]*)$",
        "examples": ["4711"]
    }
    Time {
        "type": "string",
        "description": "A time as in RFC 3339. Answers are in UTC with six digits of fraction.",
        "format": "date-time",
        "examples": ["2026-03-01T12:00:00.000000Z"]
    }
    CampaignStatus {
        "type": "string",
        "description": "How far a campaign is.",
        "enum": ["draft", "published", "paused", "closing", "closed"]
    }
    MissionStatus {
        "type": "string",
        "description": "Whether anybody new may take part in a mission.",
        "enum": ["open", "closed"]
    }
    AssignmentStatus {
        "type": "string",
        "description": "How far a creator's part in a mission is.",
        "enum": ["invited", "accepted", "submitted", "approved", "rejected", "declined", "withdrawn", "expired",
            "cancelled"]
    }
    PayoutStatus {
        "type": "string",
        "description": "How far a payout is.",
        "enum": ["requested", "sponsor_approved", "approved", "submitted", "unknown", "settled", "rejected", "cancelled",
            "failed"]
    }
    FlagStatus {
        "type": "string",
        "description": "How far a suspicion is looked into.",
        "enum": ["open", "confirmed", "dismissed"]
    }
    Date {
        "type": "string",
        "description": "A day in UTC.",
        "format": "date",
        "examples": ["2026-01-31"]
    }
}

schemas! {
    Amount = Amount;
    Position = Position;
    Time = Time;
    Date = Date;
    CampaignStatus = CampaignStatus;
    MissionStatus = MissionStatus;
    AssignmentStatus = AssignmentStatus;
    BasisPoints = viral_domain::BasisPoints;
    Deliverable = viral_domain::assignment::Deliverable;
    Requirements = viral_domain::Requirements;
    Assignment = viral_projections::queries::Assignment;
    Campaign = viral_projections::queries::Campaign;
    CampaignMetrics = viral_projections::queries::CampaignMetrics;
    Interval = viral_projections::queries::Interval;
    CampaignSummary = viral_projections::queries::CampaignSummary;
    Mission = viral_projections::queries::Mission;
    Statement = viral_projections::queries::Statement;
    Address = viral_ledger::Address;
    Asset = viral_ledger::Asset;
    Code = viral_ledger::Code;
    NormalSide = viral_ledger::NormalSide;
    Reference = viral_ledger::Reference;
    Transaction = viral_ledger::Transaction;
    PayoutStatus = PayoutStatus;
    FlagStatus = FlagStatus;
    Dashboard = viral_projections::queries::Dashboard;
    FraudFlag = viral_projections::queries::FraudFlag;
    Payout = viral_projections::queries::Payout;
    User = viral_projections::queries::User;
    Wallet = viral_projections::queries::Wallet;
    Money = viral_domain::Money;
    Rate = viral_domain::Rate;
    Role = viral_domain::user::Role;
    SourceType = viral_domain::fraud_flag::SourceType;
    Vcoin = viral_domain::Vcoin;
    Verification = viral_domain::user::Verification;
}
