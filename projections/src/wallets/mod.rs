//! Read model `wallets`: the platform's V-Coin accounts, their transactions and their holds. It is a copy of a part of
//! the ledger, so it halts instead of leaving anything out.

mod apply;
mod place;
mod postings;
mod table;

use crate::fact::aggregate;
use crate::model::{ReadModel, WhenBad};

pub(crate) const READ_MODEL: ReadModel = ReadModel {
    name: "wallets",
    schema_version: 1,
    wants: &[aggregate::BOOK, aggregate::CAMPAIGN, aggregate::PAYOUT],
    when_bad: WhenBad::Halt,
    tables: &[&table::ACCOUNTS, &table::TRANSACTIONS, &table::HOLDS],
    fold: || Box::<apply::Wallets>::default(),
};
