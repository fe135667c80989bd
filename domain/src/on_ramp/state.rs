//! What is known of a purchase.

use super::Completed;

/// A purchase, as its stream says; the default is one that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OnRamp {
    /// What was bought.
    pub completed: Option<Completed>,
}
