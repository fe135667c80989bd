//! Somebody becomes a user.

use super::Profile;
use crate::commands::{Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::user::{Login, LoginCommand, LoginError, Role, User, UserCommand};
use viral_domain::{Aggregate as _, UserId};
use viral_ledger::identifier;

/// Registers a user. The user's id is the unit's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterUser {
    /// What the user is to the platform.
    pub role: Role,
    /// What is personal. The e-mail address, if there is one, is the login: no two users share it.
    pub profile: Profile,
}

impl UseCase for RegisterUser {
    const ADMINS_ONLY: bool = true;
    const PERSONAL: bool = true;

    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        let id = UserId(work.unit_id());
        let text = self.profile.to_text()?;
        let mut user = work.load::<User>(id.0).await?;
        let profile = work.vault().seal(id.0, &text).await?;
        user.decide(&UserCommand::Register {
            user: id,
            role: self.role,
            profile,
        })?;
        let mut plan = Plan::of(user)?;
        if let Some(email) = &self.profile.email {
            let email = email.to_lowercase();
            let name = |email: &str| work.vault().blind("viral login 1", email);
            // Old logs may know the login in a spelling that is refused by now.
            for spelling in identifier::other_spellings(&email) {
                let old = work.load_named::<Login>(&name(&spelling)).await?;
                if old.state().exists() {
                    return Err(CommandError::refusal(&LoginError::AlreadyClaimed));
                }
            }
            let mut login = work.load_named::<Login>(&name(&email)).await?;
            login.decide(&LoginCommand::Claim { user: id })?;
            plan.add(login)?;
        }
        Ok(plan)
    }
}
