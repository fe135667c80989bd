//! What happens without anybody asking: deadlines pass, holds expire, and one thing follows from another.
//!
//! Each worker is a rule: what is due, and the use case that does it. What is due is read from the read models and the
//! book; whether it really is to be done, the use case decides from the log. The id of what is done derives from the
//! event that made it due, so a rule may be applied by two processes at once, or again after a kill at any moment: it
//! happens once. There is nothing to remember between two rounds, so there is nothing to lose.

mod rounds;
mod rules;

pub use rounds::{Round, Workers};
