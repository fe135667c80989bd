//! V-Coin is bought.

use crate::commands::{Environment, Plan, UseCase, Work};
use crate::error::CommandError;
use viral_domain::on_ramp::{OnRamp, OnRampCommand};
use viral_domain::user::{Role, User};
use viral_domain::{Money, OnRampId, UserId};

/// Issues V-Coin for a fiat entry, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnRampFiat {
    /// Into whose wallet.
    pub user: UserId,
    /// What came in.
    pub fiat: Money,
    /// The entry that shows it.
    pub fiat_entry: String,
}

impl UseCase for OnRampFiat {
    async fn plan(&self, work: &Work<'_>) -> Result<Plan, CommandError> {
        if work.caller.role != Role::Admin && work.environment() == Environment::Production {
            let message = "V-Coin is issued by an admin, who has seen the money come in";
            return Err(CommandError::refused("on_ramp_by_admin_only", message));
        }
        let user = work.load::<User>(self.user.0).await?;
        if !work.caller.may_touch(self.user) || !user.state().role.is_some_and(Role::has_wallet) {
            let message = format!("there is no sponsor or creator {} with a wallet", self.user);
            return Err(CommandError::refused("unknown_user", message));
        }
        let id = OnRampId::of(&self.fiat_entry);
        let mut on_ramp = work.take::<OnRamp>(id.0).await?;
        on_ramp.decide(&OnRampCommand::Complete {
            on_ramp: id,
            user: self.user,
            fiat: self.fiat,
            fiat_entry: self.fiat_entry.clone(),
            terms: work.terms().clone(),
            transaction: work.derived("transaction"),
        })?;
        // Only now: a refused purchase leaves nothing.
        work.platform_accounts().await?;
        Plan::of(on_ramp)
    }
}
