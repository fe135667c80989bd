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
    INVALID_POSITION 400 "invalid_position" "The text is not a position";
    POSITION_BEYOND_HEAD 400 "position_beyond_head" "The position is beyond the end of the log";
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
    NOT_A_CREATOR 403 "not_a_creator" "This is for creators";
    NOT_A_SPONSOR 403 "not_a_sponsor" "This is for sponsors";
    NOT_THE_SPONSOR 403 "not_the_sponsor" "Only the campaign's sponsor can do this";
    ON_RAMP_BY_ADMIN_ONLY 403 "on_ramp_by_admin_only" "Only an admin turns fiat money into V-Coin";
    OWN_PAYOUT 403 "own_payout" "Nobody approves a payout to themselves";
    SAME_APPROVER 403 "same_approver" "The second approval is somebody else's";
    SECOND_FACTOR_REQUIRED 403 "second_factor_required" "This needs a one-time password";
    SECOND_FACTOR_NOT_ENROLLED 403 "second_factor_not_enrolled" "There is no second factor to check against";
    // There is no such thing.
    NOT_FOUND 404 "not_found" "There is nothing at this path";
    UNKNOWN_ACCOUNT 404 "unknown_account" "There is no such account";
    UNKNOWN_HOLD 404 "unknown_hold" "There is no such hold";
    UNKNOWN_TRANSACTION 404 "unknown_transaction" "There is no such transaction";
    UNKNOWN_ASSIGNMENT 404 "unknown_assignment" "There is no such assignment";
    UNKNOWN_CAMPAIGN 404 "unknown_campaign" "There is no such campaign";
    UNKNOWN_FLAG 404 "unknown_flag" "There is no such fraud flag";
    UNKNOWN_MISSION 404 "unknown_mission" "There is no such mission";
    UNKNOWN_PAYOUT 404 "unknown_payout" "There is no such payout";
    UNKNOWN_USER 404 "unknown_user" "There is no such user";
    METHOD_NOT_ALLOWED 405 "method_not_allowed" "The path does not take this method";
    // The client took too long.
    BODY_TIMEOUT 408 "body_timeout" "The body did not come in time";
    // Something else happened before.
    KEY_REUSED 409 "idempotency_key_reused" "The Idempotency-Key was used for another request";
    CONFLICT 409 "conflict" "Somebody else was faster";
    ALREADY_HAPPENED 409 "already_happened" "This happened already";
    ALREADY_REVERSED 409 "already_reversed" "The transaction is reversed already";
    HOLD_RESOLVED 409 "hold_already_resolved" "The hold was captured, voided or expired already";
    ACCOUNT_EXISTS 409 "account_exists" "The account exists already";
    ALREADY_EXISTS 409 "already_exists" "This exists already";
    ALREADY_FLAGGED 409 "already_flagged" "The flag is there already";
    ALREADY_OPEN_CALL 409 "already_open_call" "The mission is an open call already";
    ALREADY_PAID 409 "already_paid" "A creator is paid once for a mission";
    ASSIGNMENT_WRONG_STATUS 409 "assignment_wrong_status" "The assignment's status does not allow this";
    CAMPAIGN_ENDED 409 "campaign_ended" "The campaign has ended";
    CAMPAIGN_WRONG_STATUS 409 "campaign_wrong_status" "The campaign's status does not allow this";
    DEADLINE_NOT_PASSED 409 "deadline_not_passed" "The deadline has not passed";
    DEADLINE_PASSED 409 "deadline_passed" "The deadline has passed";
    DIGEST_MISMATCH 409 "digest_mismatch" "The approval is of another payout than this one";
    FIAT_ENTRY_USED 409 "fiat_entry_used" "The fiat entry was turned into V-Coin before";
    FLAG_EXISTS 409 "flag_exists" "The fraud flag exists already";
    FLAG_WRONG_STATUS 409 "flag_wrong_status" "The fraud flag is resolved already";
    LOGIN_TAKEN 409 "login_taken" "The login is somebody's already";
    MISSION_CLOSED 409 "mission_closed" "The mission is closed";
    MISSION_EXISTS 409 "mission_exists" "The mission exists already";
    MISSION_FULL 409 "mission_full" "All places of the mission are taken";
    NO_MISSION 409 "no_mission" "The campaign has no mission";
    NOT_AN_OPEN_CALL 409 "not_an_open_call" "The mission takes invited creators only";
    NOT_FLAGGED 409 "not_flagged" "The flag is not there";
    PAYOUT_ALREADY_HELD 409 "payout_already_held" "The flag holds the payout already";
    PAYOUT_ALREADY_OPEN 409 "payout_already_open" "The payout is under way already";
    PAYOUT_EXISTS 409 "payout_exists" "The payout exists already";
    PAYOUT_HELD 409 "payout_held" "A fraud flag holds the payout";
    PAYOUT_NOT_HELD 409 "payout_not_held" "The flag does not hold the payout";
    PAYOUT_NOT_OPEN 409 "payout_not_open" "The payout is not under way";
    PAYOUT_WRONG_STATUS 409 "payout_wrong_status" "The payout's status does not allow this";
    PLACE_HELD 409 "place_held" "The creator has a place already";
    UNKNOWN_PLACE 409 "unknown_place" "The creator has no place";
    USER_EXISTS 409 "user_exists" "The user exists already";
    VERIFICATION_UNCHANGED 409 "verification_unchanged" "The verification is that already";
    // The form is wrong.
    PAYLOAD_TOO_LARGE 413 "payload_too_large" "The body is too large";
    UNSUPPORTED_MEDIA_TYPE 415 "unsupported_media_type" "The body is of a type that is not read here";
    // The request can be read, and the ledger refuses it.
    UNKNOWN_ASSET 422 "unknown_asset" "There is no such asset";
    EVENT_TOO_LARGE 422 "event_too_large" "The event would be too large";
    NOT_STORABLE 422 "not_storable" "The store cannot keep what the request says";
    EMPTY_TRANSACTION 422 "empty_transaction" "A transaction needs a posting";
    TOO_MANY_POSTINGS 422 "too_many_postings" "The transaction has too many postings";
    RESERVED_CODE 422 "reserved_code" "The code is kept for the ledger itself";
    INVALID_TEXT 422 "invalid_text" "A text is too long or has characters that are not taken";
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
    BUDGET_EXCEEDED 422 "budget_exceeded" "The campaign's budget does not allow that much";
    DELIVERABLE_TOO_LARGE 422 "deliverable_too_large" "To check the deliverable would take too long";
    ESCROW_TOO_LOW 422 "escrow_too_low" "The campaign's escrow does not cover the reward";
    INVALID_CAMPAIGN 422 "invalid_campaign" "A field of the campaign cannot be used";
    INVALID_DELIVERABLE 422 "invalid_deliverable" "A field of the deliverable cannot be used";
    INVALID_INVITATIONS 422 "invalid_invitations" "The list of creators cannot be used";
    INVALID_MEASUREMENT 422 "invalid_measurement" "A field of the measurement cannot be used";
    INVALID_MISSION 422 "invalid_mission" "A field of the mission cannot be used";
    INVALID_PROFILE 422 "invalid_profile" "A field of the profile cannot be used";
    INVALID_REASONS 422 "invalid_reasons" "The reasons cannot be used";
    INVALID_SCORE 422 "invalid_score" "The score is out of range";
    NOTHING_TO_CHANGE 422 "nothing_to_change" "No field is to be changed";
    ON_RAMP_TOO_SMALL 422 "on_ramp_too_small" "The fiat money does not buy the smallest amount";
    PAYOUT_EXCEEDS_EARNINGS 422 "payout_exceeds_earnings" "More than was earned and is left";
    PAYOUT_TOO_SMALL 422 "payout_too_small" "Less than the smallest amount of fiat money";
    REQUIREMENTS_NOT_MET 422 "requirements_not_met" "The deliverable does not fit the mission's requirements";
    TOO_MANY_MISSIONS 422 "too_many_missions" "The campaign has as many missions as it can have";
    UNKNOWN_ASSIGNMENT_IN_BODY 422 "unknown_assignment" "There is no such assignment";
    UNKNOWN_CAMPAIGN_IN_BODY 422 "unknown_campaign" "There is no such campaign";
    UNKNOWN_CREATOR 422 "unknown_creator" "There is no such creator";
    UNKNOWN_FLAG_IN_BODY 422 "unknown_flag" "There is no such fraud flag";
    UNKNOWN_MISSION_IN_BODY 422 "unknown_mission" "There is no such mission";
    UNKNOWN_PAYOUT_IN_BODY 422 "unknown_payout" "There is no such payout";
    UNKNOWN_SOURCE 422 "unknown_source" "What the flag is about does not exist";
    UNKNOWN_USER_IN_BODY 422 "unknown_user" "There is no such user";
    WRONG_CURRENCY 422 "wrong_currency" "V-Coin is not bought with this currency";
    // We cannot.
    INTERNAL 500 "internal" "Something went wrong here";
    LOG_BROKEN 500 "log_broken" "The log needs mending";
    STORE_UNAVAILABLE 503 "store_unavailable" "The event store cannot be reached";
    LOG_WENT_BACK 503 "log_went_back" "The log lost events that were read before";
    CLOCK_LEAPT 503 "clock_leapt" "The clock of the log's server was set";
    UNKNOWN_EVENT 503 "unknown_event" "The log has an event that this version does not know";
    READ_MODEL_BEHIND 503 "read_model_behind" "The read model does not have that much of the log yet";
    NOT_READY 503 "not_ready" "The platform is not ready";
    BUSY 503 "busy" "Too many reports are computed at once";
    ENGAGEMENT_UNAVAILABLE 503 "engagement_unavailable" "Measurements cannot be taken just now";
    OVERLOADED 503 "overloaded" "Too many requests wait";
    TIMEOUT 503 "timeout" "The answer took too long";
    STOPPING 503 "stopping" "The platform is going down";
    STORAGE_FULL 507 "storage_full" "The event store's disk is full";
}

/// The kind of a refusal with this code.
pub(crate) fn of_code(code: &str) -> Option<Kind> {
    ALL.iter()
        .find(|kind| kind.code == code && kind.status != NOT_FOUND.status)
        .copied()
}

/// The kind of something that is not there, by its own code.
pub(crate) fn missing(code: &str) -> Kind {
    let own = ALL
        .iter()
        .find(|kind| kind.code == code && kind.status == NOT_FOUND.status);
    own.copied().unwrap_or(NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use viral_commands::CommandError;
    use viral_domain::assignment::AssignmentError;
    use viral_domain::campaign::CampaignError;
    use viral_domain::fraud_flag::FraudFlagError;
    use viral_domain::on_ramp::OnRampError;
    use viral_domain::payout::PayoutError;
    use viral_domain::user::{LoginError, UserError};

    #[test]
    fn every_code_of_the_domain_has_a_sensible_status() {
        let lists = [
            AssignmentError::CODES,
            CampaignError::CODES,
            CommandError::CODES,
            FraudFlagError::CODES,
            LoginError::CODES,
            OnRampError::CODES,
            PayoutError::CODES,
            UserError::CODES,
        ];
        for code in lists.concat() {
            let kind = of_code(code).unwrap_or_else(|| panic!("the API does not know {code}"));
            let state = [
                "_wrong_status",
                "_exists",
                "_taken",
                "_closed",
                "_full",
                "_held",
                "_passed",
            ];
            let sensible: &[u16] = match code {
                "unknown_place" => &[409],
                code if state.iter().any(|end| code.ends_with(end)) || code.starts_with("already_") => &[409],
                code if code.starts_with("unknown_") => &[422],
                code if code.starts_with("invalid_") || code.starts_with("amount_") => &[400, 422],
                _ => &[403, 409, 422],
            };
            assert!(sensible.contains(&kind.status), "{kind:?}");
        }
    }

    #[test]
    fn what_the_path_names_is_404() {
        for what in ["assignment", "campaign", "flag", "mission", "payout", "user"] {
            let kind = missing(&format!("unknown_{what}"));
            assert_eq!(kind.status, 404);
            assert_ne!(kind, NOT_FOUND, "{what}");
        }
        assert_eq!(missing("unknown_whatever"), NOT_FOUND);
        assert_eq!(of_code("never heard of"), None);
    }

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
