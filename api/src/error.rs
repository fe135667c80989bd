//! Which problem each error of the platform is: the one place where that is decided.

use crate::kind::{self, Kind};
use crate::problem::Problem;
use viral_commands::error::FollowError;
use viral_commands::privacy::VaultError;
use viral_commands::{AppendError, CommandError, Rejection};
use viral_ledger::Refusal;
use viral_projections::queries::QueryError;
use viral_projections::{Behind, ProjectionError};
use viral_store::StoreError;
use viral_store::line::LineError;

/// What the path of a request names. It is known, or it is 404; what the body names is known, or it is 422.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addressed {
    /// A collection.
    Nothing,
    /// An account.
    Account,
    /// A hold that was placed at some time.
    Hold,
    /// A transaction that was posted, to be reversed.
    Transaction,
}

impl Addressed {
    /// The problem that an error is for a request that addresses this.
    pub(crate) fn problem(self, error: AppendError) -> Problem {
        match error {
            AppendError::KeyReused { position } => Problem::new(
                kind::KEY_REUSED,
                "this Idempotency-Key was already used for another request: take a new key for a new request",
            )
            .with("position", position.to_string()),
            AppendError::Conflict { .. } if self == Addressed::Transaction => already_reversed(),
            AppendError::Conflict { .. } | AppendError::Outdated { .. } => {
                Problem::new(kind::CONFLICT, error.to_string())
            }
            AppendError::Rejected(rejection) => self.rejection(rejection),
            AppendError::Unavailable(error) | AppendError::Store(error) => error.into(),
            AppendError::LogBroken { position, problem } => FollowError::Broken { position, problem }.into(),
            AppendError::UnknownEvent { position, what } => FollowError::Unknown { position, what }.into(),
            AppendError::Stopped => Problem::new(kind::STOPPING, "the platform is going down, try again soon"),
        }
    }

    fn rejection(self, rejection: Rejection) -> Problem {
        match rejection {
            Rejection::Empty | Rejection::ReservedStream(_) | Rejection::InvalidStream(_) => internal(&rejection),
            Rejection::AlreadyHappened { .. } if self == Addressed::Transaction => already_reversed(),
            Rejection::AlreadyHappened { position, .. } => {
                Problem::new(kind::ALREADY_HAPPENED, rejection.to_string()).with("position", position.to_string())
            }
            Rejection::Ledger(refusal) => self.refusal(&refusal),
            Rejection::Line(LineError::TooLong(_)) | Rejection::UnitTooLarge { .. } => {
                Problem::new(kind::EVENT_TOO_LARGE, rejection.to_string())
            }
            Rejection::NotStorable(why) => StoreError::Refused(why).into(),
            Rejection::Line(_) => internal(&rejection),
        }
    }

    fn refusal(self, refusal: &Refusal) -> Problem {
        let kind = match (self, refusal) {
            (Addressed::Account, Refusal::UnknownAccount(_)) => kind::UNKNOWN_ACCOUNT,
            // Whoever addresses a hold has found it in the log: if it is not open, it is resolved.
            (Addressed::Hold, Refusal::UnknownHold(_)) => kind::HOLD_RESOLVED,
            _ => kind_of(refusal),
        };
        let mut problem = Problem::new(kind, refusal.to_string());
        for (name, value) in members(refusal) {
            problem = problem.with(name, value);
        }
        match posting(refusal) {
            Some(posting) => problem.with("posting", posting),
            None => problem,
        }
    }
}

impl From<AppendError> for Problem {
    fn from(error: AppendError) -> Problem {
        Addressed::Nothing.problem(error)
    }
}

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Problem {
        match error {
            CommandError::NotFound { what, .. } => {
                let code = format!("unknown_{}", what.replace(' ', "_"));
                Problem::new(kind::missing(&code), error.to_string())
            }
            CommandError::Refused { code, message } => match kind::of_code(code) {
                Some(kind) => Problem::new(kind, message),
                None => internal(&format_args!("the code {code} is in no table: {message}")),
            },
            CommandError::Append(error) => error.into(),
            CommandError::Vault(VaultError::Store(error)) => error.into(),
            CommandError::Vault(error) => internal(&error),
        }
    }
}

/// As with the store, what the database said is for our log only.
impl From<ProjectionError> for Problem {
    fn from(error: ProjectionError) -> Problem {
        match error {
            ProjectionError::Behind(Behind { name, at, wanted }) => {
                let detail = format!("read model {name} is at position {at}, not yet at {wanted}: try again");
                Problem::new(kind::READ_MODEL_BEHIND, detail).with("position", at.to_string())
            }
            ProjectionError::NotSetUp(_) => Problem::new(
                kind::NOT_READY,
                "the read models are not set up yet: try again in a moment",
            ),
            ProjectionError::Store(error) => error.into(),
            error if error.is_retryable() => {
                tracing::warn!(%error, "the read models cannot be reached");
                Problem::new(kind::STORE_UNAVAILABLE, "the read models cannot be reached, try again")
            }
            error => internal(&error),
        }
    }
}

/// As with the store, what the database said is for our log only.
impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Problem {
        match error {
            QueryError::Unavailable(_) => {
                tracing::warn!(%error, "the read models cannot be asked");
                Problem::new(kind::STORE_UNAVAILABLE, "the read models cannot be reached, try again")
            }
            QueryError::Corrupt(_) => internal(&error),
        }
    }
}

impl From<FollowError> for Problem {
    fn from(error: FollowError) -> Problem {
        match error {
            FollowError::Store(error) => error.into(),
            FollowError::Broken { position, problem } => {
                tracing::error!(%position, problem, "the log does not hold");
                let detail = format!("the log does not hold at position {position}; run `viral audit verify`");
                Problem::new(kind::LOG_BROKEN, detail).with("position", position.to_string())
            }
            FollowError::Unknown { position, .. } => {
                tracing::error!(%error, "the log has an event that this version of the program does not know");
                Problem::new(kind::UNKNOWN_EVENT, error.to_string()).with("position", position.to_string())
            }
        }
    }
}

/// What the database said is for our log only: it may name hosts and users.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        let again = "try again with the same Idempotency-Key, nothing happens twice";
        match error {
            StoreError::Unavailable(_) | StoreError::Overtaken { .. } => {
                tracing::warn!(%error, "the store cannot be reached");
                let detail = format!("the event store cannot be reached; {again}");
                Problem::new(kind::STORE_UNAVAILABLE, detail)
            }
            StoreError::StorageFull(_) => {
                tracing::error!(%error, "the store is full");
                let detail = format!("the disk of the event store is full; once there is room, {again}");
                Problem::new(kind::STORAGE_FULL, detail)
            }
            StoreError::Refused(_) => {
                tracing::warn!(%error, "the store refused what a request says");
                let detail = "the event store cannot keep a text or number of this request: the same request will be refused \
                     again, change it";
                Problem::new(kind::NOT_STORABLE, detail)
            }
            StoreError::WentBack(went_back) => Problem::new(kind::LOG_WENT_BACK, went_back.to_string())
                .with("seen", went_back.seen.to_string())
                .with("head", went_back.head.to_string()),
            StoreError::ClockLeapt(leapt) => Problem::new(kind::CLOCK_LEAPT, leapt.to_string()),
            StoreError::Denied(_) | StoreError::Corrupt(_) | StoreError::Setup(_) => {
                tracing::error!(%error, "the store needs mending");
                let detail = "the event store is damaged or not set up; the platform's log says more";
                Problem::new(kind::LOG_BROKEN, detail)
            }
        }
    }
}

fn already_reversed() -> Problem {
    Problem::new(
        kind::ALREADY_REVERSED,
        "the transaction is reversed already: that happens once",
    )
}

/// Something that no request should be able to cause.
pub(crate) fn internal(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!(%error, "a request failed inside");
    Problem::new(
        kind::INTERNAL,
        "something went wrong here, the platform's log says what",
    )
}

fn kind_of(refusal: &Refusal) -> Kind {
    match refusal {
        Refusal::EmptyTransaction => kind::EMPTY_TRANSACTION,
        Refusal::TooManyPostings { .. } => kind::TOO_MANY_POSTINGS,
        Refusal::ReservedCode(_) => kind::RESERVED_CODE,
        Refusal::InvalidText { .. } => kind::INVALID_TEXT,
        Refusal::SelfTransfer { .. } => kind::SELF_TRANSFER,
        Refusal::AmountNotPositive { .. } => kind::AMOUNT_NOT_POSITIVE,
        Refusal::EffectiveOutOfRange(_) => kind::EFFECTIVE_OUT_OF_RANGE,
        Refusal::ReversalOfReversal(_) => kind::REVERSAL_OF_REVERSAL,
        Refusal::UnknownHold(_) => kind::UNKNOWN_HOLD,
        Refusal::HoldExpired { .. } => kind::HOLD_EXPIRED,
        Refusal::HoldNotExpired(_) => kind::HOLD_NOT_EXPIRED,
        Refusal::ExpiryInPast(_) => kind::EXPIRY_IN_PAST,
        Refusal::UnknownAccount(_) => kind::UNKNOWN_ACCOUNT_IN_BODY,
        Refusal::AccountExists(_) => kind::ACCOUNT_EXISTS,
        Refusal::AssetMismatch { .. } => kind::ASSET_MISMATCH,
        Refusal::AccountClosed(_) => kind::ACCOUNT_CLOSED,
        Refusal::AccountFrozen(_) => kind::ACCOUNT_FROZEN,
        Refusal::AccountNotFrozen(_) => kind::ACCOUNT_NOT_FROZEN,
        Refusal::AccountNotEmpty(_) => kind::ACCOUNT_NOT_EMPTY,
        Refusal::PeriodClosed { .. } => kind::PERIOD_CLOSED,
        Refusal::PeriodNotForward(_) => kind::PERIOD_NOT_FORWARD,
        Refusal::PeriodNotOver(_) => kind::PERIOD_NOT_OVER,
        Refusal::CaptureFromOtherAccount { .. } => kind::CAPTURE_FROM_OTHER_ACCOUNT,
        Refusal::CaptureExceedsHold { .. } => kind::CAPTURE_EXCEEDS_HOLD,
        Refusal::Overflow(_) => kind::OVERFLOW,
        Refusal::InsufficientFunds { .. } => kind::INSUFFICIENT_FUNDS,
    }
}

/// What programs may want to know of a refusal, beside its text.
fn members(refusal: &Refusal) -> Vec<(&'static str, String)> {
    match refusal {
        Refusal::UnknownAccount(account)
        | Refusal::AccountExists(account)
        | Refusal::AccountClosed(account)
        | Refusal::AccountFrozen(account)
        | Refusal::AccountNotFrozen(account)
        | Refusal::AccountNotEmpty(account)
        | Refusal::Overflow(account)
        | Refusal::SelfTransfer { account, .. }
        | Refusal::CaptureFromOtherAccount { account, .. } => vec![("account", account.to_string())],
        Refusal::AssetMismatch {
            account,
            expected,
            asset,
            ..
        } => vec![
            ("account", account.to_string()),
            ("expected", expected.to_string()),
            ("asset", asset.to_string()),
        ],
        Refusal::InsufficientFunds {
            account,
            available,
            needed,
            asset,
        } => vec![
            ("account", account.to_string()),
            ("available", available.clone()),
            ("needed", needed.clone()),
            ("asset", asset.to_string()),
        ],
        Refusal::CaptureExceedsHold { requested, held } => {
            vec![("requested", requested.clone()), ("held", held.clone())]
        }
        Refusal::InvalidText { field, .. } => vec![("field", field.clone())],
        Refusal::PeriodClosed { through, .. }
        | Refusal::PeriodNotForward(through)
        | Refusal::PeriodNotOver(through) => vec![("through", through.to_string())],
        Refusal::UnknownHold(hold) | Refusal::HoldExpired { hold, .. } | Refusal::HoldNotExpired(hold) => {
            vec![("hold", hold.to_string())]
        }
        _ => Vec::new(),
    }
}

/// The number of the posting that is refused, from 1.
fn posting(refusal: &Refusal) -> Option<usize> {
    match refusal {
        Refusal::SelfTransfer { posting, .. } | Refusal::CaptureFromOtherAccount { posting, .. } => Some(*posting),
        Refusal::AmountNotPositive { place } | Refusal::AssetMismatch { place, .. } => {
            place.strip_prefix("posting ")?.parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;
    use viral_ledger::{Address, Asset};
    use viral_store::Position;

    #[test]
    fn refusals_keep_their_own_codes() {
        let account = Address::parse("a").unwrap();
        let (id, text, time) = (Uuid::nil(), String::new, chrono::DateTime::UNIX_EPOCH);
        let date = time.date_naive();
        let refusals = [
            Refusal::EmptyTransaction,
            Refusal::TooManyPostings { count: 2, max: 1 },
            Refusal::ReservedCode(text()),
            Refusal::InvalidText {
                field: text(),
                problem: text(),
            },
            Refusal::SelfTransfer {
                posting: 1,
                account: account.clone(),
            },
            Refusal::AmountNotPositive { place: text() },
            Refusal::EffectiveOutOfRange(time),
            Refusal::ReversalOfReversal(id),
            Refusal::UnknownHold(id),
            Refusal::HoldExpired {
                hold: id,
                expires_at: time,
            },
            Refusal::HoldNotExpired(id),
            Refusal::ExpiryInPast(time),
            Refusal::UnknownAccount(account.clone()),
            Refusal::AccountExists(account.clone()),
            Refusal::AssetMismatch {
                place: text(),
                account: account.clone(),
                expected: Asset::VCOIN,
                asset: Asset::VCOIN,
            },
            Refusal::AccountClosed(account.clone()),
            Refusal::AccountFrozen(account.clone()),
            Refusal::AccountNotFrozen(account.clone()),
            Refusal::AccountNotEmpty(account.clone()),
            Refusal::PeriodClosed {
                through: date,
                effective_at: time,
            },
            Refusal::PeriodNotForward(date),
            Refusal::PeriodNotOver(date),
            Refusal::CaptureFromOtherAccount {
                posting: 1,
                account: account.clone(),
            },
            Refusal::CaptureExceedsHold {
                requested: text(),
                held: text(),
            },
            Refusal::Overflow(account.clone()),
            Refusal::InsufficientFunds {
                account,
                available: text(),
                needed: text(),
                asset: Asset::VCOIN,
            },
        ];
        for refusal in &refusals {
            assert_eq!(kind_of(refusal).code, refusal.code());
        }
    }

    #[test]
    fn the_text_of_the_database_stays_inside() {
        let secret = || "password of db.internal".to_owned();
        let errors = [
            AppendError::Unavailable(StoreError::Unavailable(secret())),
            AppendError::Unavailable(StoreError::StorageFull(secret())),
            AppendError::Store(StoreError::Denied(secret())),
            AppendError::Store(StoreError::Corrupt(secret())),
            AppendError::Store(StoreError::Setup(secret())),
            AppendError::from(StoreError::Refused(secret())),
            AppendError::LogBroken {
                position: Position(3),
                problem: secret(),
            },
        ];
        let statuses: Vec<u16> = errors
            .into_iter()
            .map(|error| {
                let problem = Problem::from(error);
                assert!(!problem.detail().contains("password"), "{}", problem.detail());
                problem.kind().status
            })
            .collect();
        assert_eq!(statuses, [503, 507, 500, 500, 500, 422, 500]);
    }
}
