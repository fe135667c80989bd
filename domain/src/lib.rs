//! What happens between sponsors and creators, as pure state machines.
//!
//! Each aggregate has a folder with its events, its commands, its state and its errors, and two functions:
//! [`Aggregate::decide`] answers a command with events or says why not, [`Aggregate::evolve`] applies an event. There is
//! no clock, no random source and no database here: times and ids arrive in the commands. Money that moves because of an
//! event is said by the event itself, see [`DomainEvent::effects`]: nothing else may move it.

pub mod acceptance;
pub mod aggregate;
pub mod assignment;
pub mod campaign;
mod codes;
pub mod decode;
pub mod effects;
pub mod engagement;
pub mod fraud_flag;
#[cfg(test)]
mod given;
pub mod ids;
mod json;
pub mod link;
#[cfg(test)]
mod machine;
pub mod money;
pub mod on_ramp;
pub mod payout;
pub mod present;
pub mod requirements;
pub mod sealed;
pub mod sum;
pub mod terms;
pub mod text;
pub mod user;

pub use aggregate::{Aggregate, DomainEvent, Refusal};
pub use decode::{Decoded, Recorded, decode};
pub use effects::Effect;
pub use engagement::Measurement;
pub use ids::{AssignmentId, CampaignId, FlagId, MissionId, OnRampId, PayoutId, UserId};
pub use money::{Money, Rate, Vcoin};
pub use present::{Present, Window};
pub use requirements::Requirements;
pub use sealed::Sealed;
pub use sum::VcoinSum;
pub use terms::{BasisPoints, Terms};
