//! What a user may do, and what is kept about a user for the sake of money: payouts under way and suspicions.

use super::{
    FlagOfUser, PayoutOfUser, ProfileChanged, Registered, Role, User, UserCommand, UserEvent, Verification,
    VerificationChanged,
};
use crate::aggregate::Aggregate;
use crate::codes::refusal_codes;
use crate::ids::{FlagId, PayoutId, UserId};

/// Why a user's command is refused; in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// There is a user with this id.
    #[error("user {0} exists already: register another id")]
    UserExists(UserId),
    /// There is no such user.
    #[error("there is no such user: register first")]
    UnknownUser,
    /// Nothing would change.
    #[error("the verification is {} already", .0.as_str())]
    VerificationUnchanged(Verification),
    /// Only creators are paid out.
    #[error("user {user} is registered as {}: only creators take money out", .role.as_str())]
    NotACreator {
        /// Who.
        user: UserId,
        /// What the user is instead.
        role: Role,
    },
    /// The payout is under way already.
    #[error("payout {0} is under way already: a new one needs a new id")]
    PayoutAlreadyOpen(PayoutId),
    /// The payout is not under way.
    #[error("no payout {0} of this user is under way")]
    PayoutNotOpen(PayoutId),
    /// The suspicion is known already.
    #[error("flag {0} stands against this user already")]
    AlreadyFlagged(FlagId),
    /// The suspicion is not known, or was dismissed.
    #[error("flag {0} does not stand against this user")]
    NotFlagged(FlagId),
}

refusal_codes!(UserError {
    UserExists(_) => "user_exists",
    UnknownUser => "unknown_user",
    VerificationUnchanged(_) => "verification_unchanged",
    NotACreator { .. } => "not_a_creator",
    PayoutAlreadyOpen(_) => "payout_already_open",
    PayoutNotOpen(_) => "payout_not_open",
    AlreadyFlagged(_) => "already_flagged",
    NotFlagged(_) => "not_flagged",
});

impl Aggregate for User {
    const TYPE: &'static str = "user";
    type Command = UserCommand;
    type Event = UserEvent;
    type Error = UserError;

    fn decide(&self, command: &UserCommand) -> Result<Vec<UserEvent>, UserError> {
        let event = match (command, self.role) {
            (UserCommand::Register { user, role, profile }, None) => UserEvent::Registered(Registered {
                profile: profile.clone(),
                role: *role,
                user: *user,
            }),
            (_, None) => return Err(UserError::UnknownUser),
            (command, Some(role)) => self.change(role, command)?,
        };
        Ok(vec![event])
    }

    fn evolve(&mut self, event: &UserEvent) {
        self.apply(event);
    }

    fn exists(&self) -> bool {
        self.role.is_some()
    }
}

impl User {
    /// The answer to a command to a user that exists.
    fn change(&self, role: Role, command: &UserCommand) -> Result<UserEvent, UserError> {
        match command {
            UserCommand::Register { .. } => Err(UserError::UserExists(self.id)),
            UserCommand::ChangeProfile { profile } => Ok(UserEvent::ProfileChanged(ProfileChanged {
                profile: profile.clone(),
                user: self.id,
            })),
            UserCommand::ChangeVerification { verification } => self.change_verification(*verification),
            UserCommand::OpenPayout { payout } => self.open_payout(role, *payout),
            UserCommand::ClosePayout { payout } if self.open_payouts.contains(payout) => {
                Ok(UserEvent::PayoutClosed(self.payout(*payout)))
            }
            UserCommand::ClosePayout { payout } => Err(UserError::PayoutNotOpen(*payout)),
            UserCommand::Flag { flag } if self.flags.contains(flag) => Err(UserError::AlreadyFlagged(*flag)),
            UserCommand::Flag { flag } => Ok(UserEvent::Flagged(self.flag(*flag))),
            UserCommand::ClearFlag { flag } if self.flags.contains(flag) => {
                Ok(UserEvent::FlagCleared(self.flag(*flag)))
            }
            UserCommand::ClearFlag { flag } => Err(UserError::NotFlagged(*flag)),
        }
    }

    fn change_verification(&self, verification: Verification) -> Result<UserEvent, UserError> {
        if verification == self.verification {
            return Err(UserError::VerificationUnchanged(verification));
        }
        let user = self.id;
        Ok(UserEvent::VerificationChanged(VerificationChanged {
            verification,
            user,
        }))
    }

    fn open_payout(&self, role: Role, payout: PayoutId) -> Result<UserEvent, UserError> {
        if role != Role::Creator {
            return Err(UserError::NotACreator { user: self.id, role });
        }
        if self.open_payouts.contains(&payout) {
            return Err(UserError::PayoutAlreadyOpen(payout));
        }
        Ok(UserEvent::PayoutOpened(self.payout(payout)))
    }

    fn payout(&self, payout: PayoutId) -> PayoutOfUser {
        PayoutOfUser { payout, user: self.id }
    }

    fn flag(&self, flag: FlagId) -> FlagOfUser {
        FlagOfUser { flag, user: self.id }
    }
}
