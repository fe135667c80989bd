//! A user says something else about themselves.

use super::Profile;
use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::user::{User, UserCommand};
use viral_domain::{Aggregate as _, UserId};

/// Replaces a profile as a whole. The login stays what it was at registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeProfile {
    /// Whose.
    pub user: UserId,
    /// The new profile.
    pub profile: Profile,
}

impl UseCase for ChangeProfile {
    const PERSONAL: bool = true;

    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let mut user = work.take::<User>(self.user.0).await?;
        if !user.state().exists() || !work.caller.may_touch(self.user) {
            return Err(CommandError::not_found("user", self.user));
        }
        let profile = work.vault().seal(self.user.0, &self.profile.to_text()?).await?;
        user.decide(&UserCommand::ChangeProfile { profile })?;
        Plan::of(user)
    }
}
