//! What an error of the client means to a caller of the port.

use crate::error::StoreError;
use kurrentdb::Error;

/// Codes of gRPC after which the same call may succeed: cancelled, resource exhausted, failed precondition, aborted.
const MAY_PASS: [i32; 4] = [1, 8, 9, 10];

/// Sorts an error into those that pass and those that somebody must mend. What a wrong revision or a missing stream
/// means depends on the call: whoever expects them looks before asking here.
pub(super) fn from_client(stream: &str, error: Error) -> StoreError {
    match error {
        Error::ServerError(message) => StoreError::Unavailable(message),
        Error::NotLeaderException(_) => StoreError::Unavailable("the cluster has another leader now".to_owned()),
        Error::ConnectionClosed | Error::GrpcConnectionError(_) => {
            StoreError::Unavailable(format!("{error}; is the server of EVENT_STORE running?"))
        }
        Error::DeadlineExceeded => StoreError::Unavailable("the server did not answer in time".to_owned()),
        Error::AccessDenied => StoreError::Denied(format!(
            "the user of EVENT_STORE may not use the stream {stream}: check its name, its password and the stream's ACL"
        )),
        Error::ResourceNotFound => StoreError::Corrupt(format!("the stream {stream} is gone")),
        Error::ResourceDeleted => StoreError::Corrupt(format!("the stream {stream} was deleted")),
        Error::Grpc { code, message } if MAY_PASS.contains(&(code as i32)) => StoreError::Unavailable(message),
        other => StoreError::Setup(format!("{stream}: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_must_be_mended() {
        let sorted = |error| from_client("viral-log", error);
        for error in [
            Error::ServerError("gone".to_owned()),
            Error::ConnectionClosed,
            Error::DeadlineExceeded,
        ] {
            assert!(matches!(sorted(error), StoreError::Unavailable(_)));
        }
        assert!(matches!(sorted(Error::AccessDenied), StoreError::Denied(_)));
        assert!(matches!(sorted(Error::ResourceDeleted), StoreError::Corrupt(_)));
        assert!(matches!(sorted(Error::UnsupportedFeature), StoreError::Setup(_)));
    }
}
