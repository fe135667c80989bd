//! What an error of the client means to a caller of the port.

use crate::error::StoreError;
use kurrentdb::Error;

/// Codes of gRPC after which the same call may succeed: cancelled, resource exhausted, failed precondition, aborted.
const MAY_PASS: [i32; 4] = [1, 8, 9, 10];

/// Sorts an error into those that pass and those that somebody must mend. What a wrong revision or a missing stream
/// means depends on the call: whoever expects them looks before asking here.
pub(super) fn from_client(stream: &str, error: Error) -> StoreError {
    match error {
        Error::ServerError(status) => StoreError::Unavailable(format!(
            "KurrentDB: {}; is the server of EVENT_STORE running?",
            message_of(&status)
        )),
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

/// What a status says: the client hands it on together with all that has no meaning for people.
fn message_of(status: &str) -> &str {
    let message = status.split_once("message: \"").map(|(_, rest)| rest);
    let message = message.and_then(|rest| rest.split_once("\", details: "));
    message.map_or(status, |(message, _)| message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_by_its_message() {
        let status =
            r#"status: Unknown, message: "client error (Connect)", details: [], metadata: MetadataMap { headers: {} }"#;
        assert_eq!(message_of(status), "client error (Connect)");
        assert_eq!(message_of("something else"), "something else");
    }

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
