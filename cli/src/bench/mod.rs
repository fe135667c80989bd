//! `viral bench`
pub mod figures;
pub mod load;
