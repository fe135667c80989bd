//! Personal fields are sealed in the log and stand in clear in a read model. Where their keys are is not our business.

use async_trait::async_trait;
use viral_domain::Sealed;

/// Why a sealed text cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnsealError {
    /// The keys cannot be reached now: worth trying again.
    #[error("the keys of persons cannot be reached: {0}")]
    Unavailable(String),
    /// A sealed text or its key is damaged, or belongs to another master key.
    #[error("a sealed text cannot be opened: {0}")]
    Damaged(String),
}

/// Opens sealed texts.
#[async_trait]
pub trait Unseal: Send + Sync {
    /// The texts in the order of what was sealed; none where the key was destroyed, because its person was erased.
    async fn unseal(&self, sealed: &[Sealed]) -> Result<Vec<Option<String>>, UnsealError>;
}
