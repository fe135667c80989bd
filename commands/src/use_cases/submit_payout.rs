//! An approved payout is handed to whoever pays.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::payout::{Payout, PayoutCommand};
use viral_domain::{Aggregate as _, PayoutId};

/// Records the next attempt to pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitPayout {
    /// Which payout.
    pub payout: PayoutId,
    /// Who pays.
    pub provider: String,
}

impl UseCase for SubmitPayout {
    const ADMINS_ONLY: bool = true;

    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut payout = work.take::<Payout>(self.payout.0).await?;
        if !payout.state().exists() {
            return Err(CommandError::not_found("payout", self.payout));
        }
        let provider = self.provider.clone();
        payout.decide(&PayoutCommand::Submit { provider })?;
        Plan::of(payout)
    }
}
