//! Campaigns, under `/v1/campaigns`: sponsors draft, publish, fund and close them; who may see them reads how far they
//! are, their history and the statement of their escrow.

mod draft;
mod history;
mod list;
mod metrics;
mod money;
mod one;
mod statement;
mod status;

use crate::auth::Caller;
use crate::kind;
use crate::parse;
use crate::problem::Problem;
use crate::state::AppState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use viral_domain::user::Role;
use viral_domain::{CampaignId, UserId};

const PATH: &str = "/v1/campaigns";

/// The routes; who may call them is in [`crate::auth`].
pub(crate) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, draft::create))
        .routes(routes!(one::get, draft::edit))
        .routes(routes!(status::publish))
        .routes(routes!(status::pause))
        .routes(routes!(money::fund))
        .routes(routes!(money::close))
        .routes(routes!(history::events))
        .routes(routes!(statement::get))
        .routes(routes!(metrics::get))
}

/// The id of a campaign in the path.
pub(crate) fn id(text: &str) -> Result<CampaignId, Problem> {
    parse::id(text).map(CampaignId)
}

/// What a caller sees of campaigns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// All of them.
    Everything,
    /// Those of one sponsor.
    Sponsor(UserId),
    /// What this creator may take part in or takes part in, without drafts and without the campaigns' money.
    Creator(UserId),
}

impl View {
    pub(crate) fn of(caller: &Caller) -> Result<View, Problem> {
        Ok(match (caller.owner()?, caller.principal().role()) {
            (None, _) => View::Everything,
            (Some(user), Role::Creator) => View::Creator(user),
            (Some(user), _) => View::Sponsor(user),
        })
    }

    /// The creator whose view the read models take.
    pub(crate) fn creator(self) -> Option<UserId> {
        match self {
            View::Creator(creator) => Some(creator),
            View::Everything | View::Sponsor(_) => None,
        }
    }

    /// Whether campaigns of this sponsor are in it. What creators see does not depend on that.
    pub(crate) fn has(self, sponsor: UserId) -> bool {
        match self {
            View::Everything | View::Creator(_) => true,
            View::Sponsor(own) => own == sponsor,
        }
    }
}

/// The problem of a campaign that is not there, or somebody else's.
pub(crate) fn unknown(campaign: CampaignId) -> Problem {
    Problem::new(kind::UNKNOWN_CAMPAIGN, format!("there is no campaign {campaign}"))
}
