//! Parts of requests that several resources share.

use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// A body without fields. It may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoFields {}

/// Why something is done, for people.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OptionalReason)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithReason {
    /// One line.
    #[schema(min_length = 1, max_length = 1000)]
    pub(crate) reason: Option<String>,
}

/// Whether something is only tried.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRun {
    /// `true`: the answer says what would happen, and nothing does. The key may be one that was used before.
    #[serde(default)]
    #[param(required = false, default = false)]
    pub(crate) dry_run: bool,
}
