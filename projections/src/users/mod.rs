//! Read model `users`: who is who. It is the only one that holds personal fields in clear.

mod apply;
mod table;

use crate::fact::aggregate;
use crate::model::{ReadModel, WhenBad};

pub(crate) const READ_MODEL: ReadModel = ReadModel {
    name: "users",
    schema_version: 1,
    wants: &[aggregate::USER],
    when_bad: WhenBad::Park,
    tables: &[&table::USERS],
    fold: || Box::<apply::Users>::default(),
};
