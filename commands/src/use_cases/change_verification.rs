//! Somebody checked who a user is.

use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::user::{User, UserCommand, Verification};
use viral_domain::{Aggregate as _, UserId};

/// Records how far a user's identity is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeVerification {
    /// Whose.
    pub user: UserId,
    /// How far.
    pub verification: Verification,
}

impl UseCase for ChangeVerification {
    const ADMINS_ONLY: bool = true;

    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut user = work.take::<User>(self.user.0).await?;
        if !user.state().exists() {
            return Err(CommandError::not_found("user", self.user));
        }
        user.decide(&UserCommand::ChangeVerification {
            verification: self.verification,
        })?;
        Plan::of(user)
    }
}
