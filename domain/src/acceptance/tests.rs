//! Given, when, then for acceptances.

use super::*;
use crate::given::given;
use crate::text::REASON;

fn history(reason: &str) -> HistoryAccepted {
    HistoryAccepted {
        by: "operator".to_owned(),
        found: Place {
            digest: Some("0".repeat(64)),
            position: "3".to_owned(),
        },
        reason: reason.to_owned(),
        seen: Place {
            digest: None,
            position: "5".to_owned(),
        },
    }
}

fn clock(reason: &str) -> ClockAccepted {
    ClockAccepted {
        by: "operator".to_owned(),
        reason: reason.to_owned(),
        time: "2026-03-02T09:00:00Z".parse().unwrap(),
    }
}

#[test]
fn both_are_accepted_with_a_reason_however_often() {
    let (history, clock) = (
        history("failed over to the standby"),
        clock("the time server was wrong"),
    );
    given::<Acceptances>([])
        .when(AcceptanceCommand::AcceptHistory(history.clone()))
        .then([AcceptanceEvent::HistoryAccepted(history.clone())])
        .when(AcceptanceCommand::AcceptClock(clock.clone()))
        .then([AcceptanceEvent::ClockAccepted(clock)])
        .when(AcceptanceCommand::AcceptHistory(history.clone()))
        .then([AcceptanceEvent::HistoryAccepted(history)]);
}

#[test]
fn a_reason_must_say_something() {
    for reason in ["", "  "] {
        for command in [
            AcceptanceCommand::AcceptHistory(history(reason)),
            AcceptanceCommand::AcceptClock(clock(reason)),
        ] {
            given::<Acceptances>([])
                .when(command)
                .then_error(AcceptanceError::NoReason);
        }
    }
    for reason in ["line\nbreak".to_owned(), "x".repeat(REASON + 1)] {
        let error = given::<Acceptances>([])
            .when(AcceptanceCommand::AcceptHistory(history(&reason)))
            .error();
        assert!(matches!(error, AcceptanceError::InvalidText(_)), "{error}");
    }
}
