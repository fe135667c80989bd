//! What the read models answer, after stories told by use cases.

pub mod assignments;
pub mod campaigns;
pub mod creators;
pub mod due;
pub mod history;
pub mod money;
pub mod payouts;
pub mod snapshots;
pub mod stage;
