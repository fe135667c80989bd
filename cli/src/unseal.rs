//! The projector opens personal fields through the vault of the use cases.

use async_trait::async_trait;
use viral_commands::Vault;
use viral_commands::privacy::VaultError;
use viral_domain::Sealed;
use viral_projections::{Unseal, UnsealError};

/// A vault, as the projector asks for one.
pub(crate) struct VaultUnseal(pub(crate) Vault);

#[async_trait]
impl Unseal for VaultUnseal {
    async fn unseal(&self, sealed: &[Sealed]) -> Result<Vec<Option<String>>, UnsealError> {
        self.0.open(sealed).await.map_err(|error| match error {
            VaultError::Store(error) => UnsealError::Unavailable(error.to_string()),
            other => UnsealError::Damaged(other.to_string()),
        })
    }
}
