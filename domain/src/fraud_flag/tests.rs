//! Given, when, then for suspicions.

use super::*;
use crate::given::given;
use crate::ids::FlagId;
use crate::machine::assert_machine;
use crate::text::{DESCRIPTION, InvalidText, REASON};
use uuid::Uuid;

const MACHINE: &str = include_str!("tests/machine.txt");

fn flag() -> FlagId {
    FlagId(Uuid::from_u128(1))
}

fn raised() -> Raised {
    Raised {
        flag: flag(),
        reasons: vec!["views without watch time".to_owned(), "one network".to_owned()],
        score: 87,
        source_id: Uuid::from_u128(2),
        source_type: SourceType::Assignment,
    }
}

fn resolved(note: Option<&str>) -> Resolved {
    Resolved {
        flag: flag(),
        note: note.map(str::to_owned),
        reviewer: "reviewer".to_owned(),
    }
}

fn confirm(note: Option<&str>) -> FraudFlagCommand {
    let Resolved { note, reviewer, .. } = resolved(note);
    FraudFlagCommand::Confirm { note, reviewer }
}

fn dismiss(note: Option<&str>) -> FraudFlagCommand {
    let Resolved { note, reviewer, .. } = resolved(note);
    FraudFlagCommand::Dismiss { note, reviewer }
}

/// What led to a status. A new status does not compile here: give it a column.
fn past(status: Status) -> Vec<FraudFlagEvent> {
    let raised = FraudFlagEvent::Raised(raised());
    match status {
        Status::Missing => vec![],
        Status::Open => vec![raised],
        Status::Confirmed => vec![raised, FraudFlagEvent::Confirmed(resolved(None))],
        Status::Dismissed => vec![raised, FraudFlagEvent::Dismissed(resolved(None))],
    }
}

#[test]
fn every_command_in_every_status() {
    let columns = [Status::Missing, Status::Open, Status::Confirmed, Status::Dismissed]
        .map(|status| (status.as_str(), past(status)));
    let commands = [FraudFlagCommand::Raise(raised()), confirm(None), dismiss(None)];
    // A new command does not compile here: give it a row.
    let rows = commands.map(|command| match command {
        FraudFlagCommand::Raise(_) => ("raise", command),
        FraudFlagCommand::Confirm { .. } => ("confirm", command),
        FraudFlagCommand::Dismiss { .. } => ("dismiss", command),
    });
    assert_machine::<FraudFlag>(MACHINE, &columns, &rows, |flag| flag.status.as_str());
}

#[test]
fn a_suspicion_is_raised_and_resolved_with_a_note() {
    let note = Some("bought views\nfrom one network");
    let open = || {
        given::<FraudFlag>([])
            .when(FraudFlagCommand::Raise(raised()))
            .then([FraudFlagEvent::Raised(raised())])
    };
    open()
        .when(confirm(note))
        .then([FraudFlagEvent::Confirmed(resolved(note))]);
    open()
        .when(dismiss(note))
        .then([FraudFlagEvent::Dismissed(resolved(note))]);
    assert_eq!(open().state().raised, Some(raised()));
}

#[test]
fn a_suspicion_is_raised_once() {
    given::<FraudFlag>(past(Status::Dismissed))
        .when(FraudFlagCommand::Raise(raised()))
        .then_error(FraudFlagError::FlagExists(flag()));
}

#[test]
fn a_suspicion_is_resolved_once() {
    given::<FraudFlag>([])
        .when(confirm(None))
        .then_error(FraudFlagError::UnknownFlag);
    let error = FraudFlagError::WrongStatus {
        status: Status::Confirmed,
        action: "dismissed",
    };
    let text = "the fraud flag is confirmed already: only an open one can be dismissed";
    assert_eq!(error.to_string(), text);
    given::<FraudFlag>(past(Status::Confirmed))
        .when(dismiss(None))
        .then_error(error);
}

#[test]
fn a_score_is_a_percentage() {
    for (score, fits) in [(0, true), (100, true), (101, false), (u8::MAX, false)] {
        let raised = Raised { score, ..raised() };
        let when = given::<FraudFlag>([]).when(FraudFlagCommand::Raise(raised.clone()));
        if fits {
            when.then([FraudFlagEvent::Raised(raised)]);
        } else {
            when.then_error(FraudFlagError::InvalidScore(score));
        }
    }
}

#[test]
fn there_are_some_reasons_but_not_too_many() {
    let table = [
        (0, 1, false),
        (1, 1, true),
        (20, 500, true),
        (21, 1, false),
        (10, 1_000, true),
        (11, 1_000, false),
    ];
    for (count, length, fits) in table {
        let reasons = vec!["\u{1f600}".repeat(length); count];
        let raised = Raised { reasons, ..raised() };
        let bytes = serde_json::to_string(&raised).unwrap().len();
        let when = given::<FraudFlag>([]).when(FraudFlagCommand::Raise(raised.clone()));
        if fits {
            assert!(
                bytes < 60_000,
                "an event and its metadata fit on a line of 65,535 bytes"
            );
            when.then([FraudFlagEvent::Raised(raised)]);
        } else {
            let characters = count * length;
            when.then_error(FraudFlagError::InvalidReasons { count, characters });
        }
    }
}

#[test]
fn texts_must_be_presentable() {
    for reason in ["", "a\nb", &"x".repeat(REASON + 1)] {
        let reasons = vec!["fine".to_owned(), reason.to_owned()];
        let answer = given::<FraudFlag>([])
            .when(FraudFlagCommand::Raise(Raised { reasons, ..raised() }))
            .answer();
        let error = answer.unwrap_err();
        assert!(
            matches!(error, FraudFlagError::InvalidText(InvalidText { field: "reasons", .. })),
            "{error}"
        );
    }
    let long = "x".repeat(DESCRIPTION + 1);
    for command in [confirm(Some("\u{0}")), dismiss(Some(&long))] {
        let error = given::<FraudFlag>(past(Status::Open))
            .when(command)
            .answer()
            .unwrap_err();
        assert!(
            matches!(error, FraudFlagError::InvalidText(InvalidText { field: "note", .. })),
            "{error}"
        );
    }
}
