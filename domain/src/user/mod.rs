//! Users: who they are to the platform, and what concerns their money.

mod command;
mod decide;
mod event;
mod state;

pub use command::UserCommand;
pub use decide::UserError;
pub use event::{
    FlagOfUser, PayoutOfUser, ProfileChanged, Registered, Role, UserEvent, Verification, VerificationChanged,
};
pub use state::User;
