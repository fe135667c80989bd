//! Users: who they are to the platform, and what concerns their money.

mod command;
mod decide;
mod event;
mod login;
mod state;
#[cfg(test)]
mod tests;

pub use command::UserCommand;
pub use decide::UserError;
pub use event::{
    FlagOfUser, PayoutOfUser, ProfileChanged, Registered, Role, UserEvent, Verification, VerificationChanged,
};
pub use login::{Claimed, Login, LoginCommand, LoginError, LoginEvent};
pub use state::User;
