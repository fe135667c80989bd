//! Read model `campaigns`: campaigns with their money, their missions, and who works on them.

mod apply;
mod assignments;
mod table;

use crate::fact::aggregate;
use crate::model::{ReadModel, WhenBad};

pub(crate) const READ_MODEL: ReadModel = ReadModel {
    name: "campaigns",
    schema_version: 1,
    wants: &[aggregate::CAMPAIGN, aggregate::ASSIGNMENT],
    when_bad: WhenBad::Park,
    tables: &[&table::CAMPAIGNS, &table::MISSIONS, &table::ASSIGNMENTS],
    fold: || Box::<apply::Campaigns>::default(),
};
