//! Keys of persons: what opens the sealed fields of events. They lie beside the log, so that a key can be destroyed
//! while the log stays as it is. The store keeps them wrapped and cannot open them.

use crate::error::StoreError;
use async_trait::async_trait;
use std::fmt;
use uuid::Uuid;

/// A person's key, encrypted under a master key that the store does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Whose.
    pub person: Uuid,
    /// Which of the person's keys.
    pub key: Uuid,
    /// The encrypted key; nothing once it was destroyed.
    pub wrapped: Option<Vec<u8>>,
}

/// Where keys of persons are kept.
#[async_trait]
pub trait PersonKeys: Send + Sync + fmt::Debug {
    /// Keeps a person's first key, or answers the one that is there already.
    async fn keep_first(&self, key: WrappedKey) -> Result<WrappedKey, StoreError>;

    /// The keys of these persons, in no particular order; persons without one are left out.
    async fn of_persons(&self, persons: &[Uuid]) -> Result<Vec<WrappedKey>, StoreError>;

    /// Any key that is not destroyed: to see whether a master key is the right one.
    async fn any(&self) -> Result<Option<WrappedKey>, StoreError>;
}
