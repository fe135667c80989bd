//! What a read model is to the machinery, and the list of them.

use crate::error::ProjectionError;
use crate::fact::{Event, Problem};
use crate::rows::TableRows;
use crate::table::Table;
use crate::{campaigns, fraud_flags, payouts, users, wallets};
use viral_store::StoredEvent;

/// What happens when an event cannot be taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenBad {
    /// The events of its aggregate are left out from there on, visibly, until somebody resumes. Each row of such a read
    /// model must depend on one aggregate only, so that the others are right without it.
    Park,
    /// Nothing moves on until somebody resumes: sums over many aggregates would be wrong without it.
    Halt,
}

/// A read model. To add one: a folder with its tables and its fold, and a line in [`READ_MODELS`].
pub struct ReadModel {
    /// Its name, for the command line and `min_position`.
    pub name: &'static str,
    /// Changes whenever its tables or what its fold makes of an event change: the tables are then rebuilt at the start.
    pub schema_version: i32,
    /// The types of the aggregates whose events it takes in.
    pub wants: &'static [&'static str],
    /// What happens when an event cannot be taken in.
    pub when_bad: WhenBad,
    /// Its tables, in the order in which its fold names them.
    pub tables: &'static [&'static Table],
    /// A fold without rows.
    pub(crate) fold: fn() -> Box<dyn Fold>,
}

/// The pure part of a read model, on rows in memory. It must not look at anything but its arguments: the same fold is
/// run again over the whole log to check the tables.
pub(crate) trait Fold: Send {
    /// Asks for the rows that an event may touch. It is called again as long as something new is asked for, so that a
    /// row can lead to another.
    fn touch(&mut self, event: &Event);

    /// Changes the rows. After a problem they are put back by whoever calls.
    fn apply(&mut self, event: &Event) -> Result<(), Problem>;

    /// The rows of its tables.
    fn tables(&mut self) -> Vec<&mut dyn TableRows>;
}

/// All read models.
pub static READ_MODELS: [ReadModel; 5] = [
    users::READ_MODEL,
    campaigns::READ_MODEL,
    wallets::READ_MODEL,
    payouts::READ_MODEL,
    fraud_flags::READ_MODEL,
];

impl std::fmt::Debug for ReadModel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ReadModel").field(&self.name).finish()
    }
}

impl ReadModel {
    /// Finds a read model by its name.
    pub fn named(name: &str) -> Result<&'static ReadModel, ProjectionError> {
        let found = READ_MODELS.iter().find(|model| model.name == name);
        found.ok_or_else(|| ProjectionError::UnknownName(name.chars().take(64).collect()))
    }

    /// Whether it takes in events of this aggregate.
    pub(crate) fn is_about(&self, event: &StoredEvent) -> bool {
        self.wants.contains(&&*event.stream.aggregate_type)
    }
}

/// The names of the views of all read models: nobody else may have anything by these names in the database.
pub fn view_names() -> Vec<&'static str> {
    let tables = READ_MODELS.iter().flat_map(|model| model.tables);
    tables.map(|table| table.name).collect()
}

/// The names of all read models, for messages.
pub(crate) fn names() -> String {
    let names: Vec<&str> = READ_MODELS.iter().map(|model| model.name).collect();
    names.join(", ")
}
