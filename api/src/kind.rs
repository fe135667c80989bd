//! Every kind of problem that a caller can meet, in one table. The codes are part of the API: `docs/API.md` lists them,
//! a test compares both.

/// A kind of problem: its stable code, the HTTP status that goes with it and its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The HTTP status.
    pub status: u16,
    /// A stable name for programs, in snake case.
    pub code: &'static str,
    /// A short summary for people, the same for every occurrence.
    pub title: &'static str,
}

macro_rules! kinds {
    ($($name:ident $status:literal $code:literal $title:literal;)*) => {
        $(pub(crate) const $name: Kind = Kind { status: $status, code: $code, title: $title };)*

        /// All kinds, in the order of their statuses. A code may appear with two statuses: an unknown account in the
        /// path is 404, one in the body 422.
        pub const ALL: &[Kind] = &[$($name),*];
    };
}

kinds! {
    // The request cannot be read.
    BAD_REQUEST 400 "bad_request" "The request cannot be read";
    MALFORMED_JSON 400 "malformed_json" "The body is not JSON";
    DUPLICATE_KEY 400 "duplicate_key" "A JSON object names a field twice";
    INVALID_BODY 400 "invalid_body" "The body does not have the fields that are expected";
    INVALID_QUERY 400 "invalid_query" "The query does not have the parameters that are expected";
    INVALID_LIMIT 400 "invalid_limit" "The limit is not a number within its bounds";
    INVALID_CURSOR 400 "invalid_cursor" "The cursor is not one that this list gave out";
    INVALID_AS_OF 400 "invalid_as_of" "as_of is neither a position nor a time";
    AS_OF_BEYOND_HEAD 400 "as_of_beyond_head" "as_of is beyond the end of the log";
    INVALID_ID 400 "invalid_id" "The id is not a UUID";
    INVALID_ADDRESS 400 "invalid_address" "The text is not an account address";
    INVALID_CODE 400 "invalid_code" "The text is not a transaction code";
    INVALID_AMOUNT 400 "invalid_amount" "The amount is not a decimal string";
    TOO_MANY_DIGITS 400 "too_many_digits" "The amount has more decimals than its asset";
    AMOUNT_OUT_OF_RANGE 400 "amount_out_of_range" "The amount is too large";
    INVALID_TIME 400 "invalid_time" "The text is not a time";
    INVALID_DATE 400 "invalid_date" "The text is not a date";
    KEY_REQUIRED 400 "idempotency_key_required" "The request needs an Idempotency-Key";
    KEY_INVALID 400 "idempotency_key_invalid" "The Idempotency-Key cannot be used";
    // The caller may not.
    UNAUTHENTICATED 401 "unauthenticated" "The request needs a valid bearer token";
    FORBIDDEN 403 "forbidden" "The role does not allow this";
    RESERVED_ADDRESS 403 "reserved_address" "The account moves only through its own use cases";
    // There is no such thing.
    NOT_FOUND 404 "not_found" "There is nothing at this path";
    UNKNOWN_ACCOUNT 404 "unknown_account" "There is no such account";
    UNKNOWN_HOLD 404 "unknown_hold" "There is no such hold";
    UNKNOWN_TRANSACTION 404 "unknown_transaction" "There is no such transaction";
    METHOD_NOT_ALLOWED 405 "method_not_allowed" "The path does not take this method";
    // Something else happened before.
    KEY_REUSED 409 "idempotency_key_reused" "The Idempotency-Key was used for another request";
    CONFLICT 409 "conflict" "Somebody else was faster";
    ALREADY_HAPPENED 409 "already_happened" "This happened already";
    ALREADY_REVERSED 409 "already_reversed" "The transaction is reversed already";
    HOLD_RESOLVED 409 "hold_already_resolved" "The hold was captured, voided or expired already";
    ACCOUNT_EXISTS 409 "account_exists" "The account exists already";
    // The form is wrong.
    PAYLOAD_TOO_LARGE 413 "payload_too_large" "The body is too large";
    UNSUPPORTED_MEDIA_TYPE 415 "unsupported_media_type" "The body must be application/json";
    // The request can be read, and the ledger refuses it.
    UNKNOWN_ASSET 422 "unknown_asset" "There is no such asset";
    EVENT_TOO_LARGE 422 "event_too_large" "The event would be too large";
    EMPTY_TRANSACTION 422 "empty_transaction" "A transaction needs a posting";
    TOO_MANY_POSTINGS 422 "too_many_postings" "The transaction has too many postings";
    RESERVED_CODE 422 "reserved_code" "The code is kept for the ledger itself";
    INVALID_TEXT 422 "invalid_text" "A text is too long or has control characters";
    SELF_TRANSFER 422 "self_transfer" "A posting debits and credits the same account";
    AMOUNT_NOT_POSITIVE 422 "amount_not_positive" "An amount must be more than zero";
    EFFECTIVE_OUT_OF_RANGE 422 "effective_out_of_range" "The effective time is out of range";
    REVERSAL_OF_REVERSAL 422 "reversal_of_reversal" "A reversal cannot be reversed";
    HOLD_EXPIRED 422 "hold_expired" "The hold has expired";
    HOLD_NOT_EXPIRED 422 "hold_not_expired" "The hold has not expired";
    EXPIRY_IN_PAST 422 "expiry_in_past" "The hold would expire in the past";
    UNKNOWN_ACCOUNT_IN_BODY 422 "unknown_account" "There is no such account";
    ASSET_MISMATCH 422 "asset_mismatch" "The account counts another asset";
    ACCOUNT_CLOSED 422 "account_closed" "The account is closed";
    ACCOUNT_FROZEN 422 "account_frozen" "The account is frozen";
    ACCOUNT_NOT_FROZEN 422 "account_not_frozen" "The account is not frozen";
    ACCOUNT_NOT_EMPTY 422 "account_not_empty" "The account is not empty";
    PERIOD_CLOSED 422 "period_closed" "The books are closed for that time";
    PERIOD_NOT_FORWARD 422 "period_not_forward" "The closing date only moves forward";
    PERIOD_NOT_OVER 422 "period_not_over" "The period is not over";
    CAPTURE_FROM_OTHER_ACCOUNT 422 "capture_from_other_account" "A capture takes from the account of its hold";
    CAPTURE_EXCEEDS_HOLD 422 "capture_exceeds_hold" "The capture is larger than the hold";
    OVERFLOW 422 "overflow" "The account's totals would leave their bounds";
    INSUFFICIENT_FUNDS 422 "insufficient_funds" "There is not enough on the account";
    // We cannot.
    INTERNAL 500 "internal" "Something went wrong here";
    LOG_BROKEN 500 "log_broken" "The log needs mending";
    STORE_UNAVAILABLE 503 "store_unavailable" "The event store cannot be reached";
    NOT_READY 503 "not_ready" "The platform is not ready";
    BUSY 503 "busy" "Too many reports are computed at once";
    TIMEOUT 503 "timeout" "The answer took too long";
    STOPPING 503 "stopping" "The platform is going down";
    STORAGE_FULL 507 "storage_full" "The event store's disk is full";
}

/// The kind of a refusal with this code.
pub(crate) fn of_code(code: &str) -> Option<Kind> {
    ALL.iter().find(|kind| kind.code == code && kind.status != NOT_FOUND.status).copied()
}

/// The kind of something that is not there, by its own code.
pub(crate) fn missing(code: &str) -> Kind {
    let own = ALL.iter().find(|kind| kind.code == code && kind.status == NOT_FOUND.status);
    own.copied().unwrap_or(NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_is_in_the_docs_and_every_one_there_exists() {
        let docs = include_str!("../../docs/API.md");
        let documented: BTreeSet<(u16, String)> = docs
            .lines()
            .filter_map(|line| {
                let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
                let code = cells.next()?.trim_end_matches('`').to_owned();
                Some((cells.next()?.parse().ok()?, code))
            })
            .collect();
        let existing: BTreeSet<(u16, String)> = ALL.iter().map(|kind| (kind.status, kind.code.to_owned())).collect();
        assert_eq!(documented, existing);
        assert_eq!(existing.len(), ALL.len(), "a kind is there twice");
    }
}
