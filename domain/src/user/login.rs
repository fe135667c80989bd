//! Logins are unique without being readable: each is a stream `login/<HMAC of what the user types>`, and claiming it is
//! its only event. Who appends it first has the login.

use crate::aggregate::{Aggregate, DomainEvent};
use crate::codes::refusal_codes;
use crate::effects::Effect;
use crate::ids::UserId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use viral_ledger::event_types;

/// An event of stream `login/<hmac>`, which has just this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type")]
pub enum LoginEvent {
    /// The login belongs to a user from now on.
    #[serde(rename = "login.claimed")]
    Claimed(Claimed),
}

/// A login was claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Claimed {
    /// By whom.
    pub user: UserId,
}

event_types!(LoginEvent {
    Claimed => "login.claimed" "1",
});

impl DomainEvent for LoginEvent {
    fn effects(&self) -> Vec<Effect> {
        Vec::new()
    }
}

/// A command to a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginCommand {
    /// Take it.
    Claim {
        /// Who does.
        user: UserId,
    },
}

/// A login; the default is one that nobody has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Login {
    /// Whose it is.
    pub user: Option<UserId>,
}

/// Why a login is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Somebody has it. Whose it is, is nobody else's business.
    #[error("this login is taken: choose another one")]
    AlreadyClaimed,
}

refusal_codes!(LoginError {
    AlreadyClaimed => "login_taken",
});

impl Aggregate for Login {
    const TYPE: &'static str = "login";
    type Command = LoginCommand;
    type Event = LoginEvent;
    type Error = LoginError;

    fn decide(&self, command: &LoginCommand) -> Result<Vec<LoginEvent>, LoginError> {
        let LoginCommand::Claim { user } = *command;
        match self.user {
            Some(_) => Err(LoginError::AlreadyClaimed),
            None => Ok(vec![LoginEvent::Claimed(Claimed { user })]),
        }
    }

    fn evolve(&mut self, event: &LoginEvent) {
        let LoginEvent::Claimed(claimed) = event;
        self.user = Some(claimed.user);
    }

    fn exists(&self) -> bool {
        self.user.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::given;
    use uuid::Uuid;

    #[test]
    fn the_first_one_has_the_login() {
        let [first, second] = [1, 2].map(|id| UserId(Uuid::from_u128(id)));
        let claimed = || LoginEvent::Claimed(Claimed { user: first });
        let login = given::<Login>([])
            .when(LoginCommand::Claim { user: first })
            .then([claimed()])
            .state();
        assert_eq!(login.user, Some(first));
        for user in [first, second] {
            given::<Login>([claimed()])
                .when(LoginCommand::Claim { user })
                .then_error(LoginError::AlreadyClaimed);
        }
    }
}
