//! Read model `payouts`: what creators asked for, who agreed, and what became of it.

mod apply;
mod table;

use crate::fact::aggregate;
use crate::model::{ReadModel, WhenBad};

pub(crate) const READ_MODEL: ReadModel = ReadModel {
    name: "payouts",
    schema_version: 1,
    wants: &[aggregate::PAYOUT],
    when_bad: WhenBad::Park,
    tables: &[&table::PAYOUTS],
    fold: || Box::<apply::Payouts>::default(),
};
