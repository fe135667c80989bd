//! Time limits of calls to the store.

use crate::error::FollowError;
use std::time::Duration;
use viral_store::StoreError;

/// A store that does not answer at all is one that cannot be reached. What it was doing is dropped, and with it the
/// connection.
pub(super) async fn in_time<T>(
    limit: Duration,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, call).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::Unavailable(format!(
            "no answer within {} s",
            limit.as_secs()
        ))),
    }
}

pub(super) async fn follow_in_time(
    limit: Duration,
    call: impl Future<Output = Result<(), FollowError>>,
) -> Result<(), FollowError> {
    let call = async { Ok(call.await) };
    in_time(limit, call).await?
}
