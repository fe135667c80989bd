//! Read model `fraud_flags`: suspicions and what was found.

mod apply;
mod table;

use crate::fact::aggregate;
use crate::model::{ReadModel, WhenBad};

pub(crate) const READ_MODEL: ReadModel = ReadModel {
    name: "fraud_flags",
    schema_version: 1,
    wants: &[aggregate::FRAUD_FLAG],
    when_bad: WhenBad::Park,
    tables: &[&table::FRAUD_FLAGS],
    fold: || Box::<apply::FraudFlags>::default(),
};
