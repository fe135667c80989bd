//! Somebody approves a payout.

use crate::commands::{Environment, Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::PayoutId;
use viral_domain::payout::{Payout, PayoutCommand, SecondFactor};
use viral_domain::user::Role;

/// Approves a payout as its campaign's sponsor or as an admin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovePayout {
    /// Which payout.
    pub payout: PayoutId,
    /// What the approver saw: it must be the payout's own digest.
    pub digest: String,
    /// The approver's one-time password.
    pub totp: Option<String>,
}

impl UseCase for ApprovePayout {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        work.request_of(self.payout, |request| request.sponsor).await?;
        let second_factor = self.second_factor(work.environment())?;
        let mut payout = work.take::<Payout>(self.payout.0).await?;
        let (by, digest) = (work.caller.name.clone(), self.digest.clone());
        payout.decide(&match work.caller.role {
            Role::Admin => PayoutCommand::ApproveAsAdmin {
                by,
                digest,
                second_factor,
            },
            _ => PayoutCommand::ApproveAsSponsor {
                by,
                digest,
                second_factor,
            },
        })?;
        Plan::of(payout)
    }
}

impl ApprovePayout {
    /// Nobody can enrol a second factor yet: a password that is given cannot be checked, so it is never taken for right.
    fn second_factor(&self, environment: Environment) -> Result<SecondFactor, CommandError> {
        match (&self.totp, environment) {
            (None, Environment::Development) => Ok(SecondFactor::None),
            (None, Environment::Production) => {
                let message = "approving a payout needs a one-time password: send it as totp";
                Err(CommandError::refused("second_factor_required", message))
            }
            (Some(_), _) => {
                let message = "you have no second factor enrolled that this one-time password could be checked against";
                Err(CommandError::refused("second_factor_not_enrolled", message))
            }
        }
    }
}
