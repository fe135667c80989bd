//! Closing periods, and snapshots.

use super::given;
use super::words::*;
use crate::command::Command;
use crate::event::{BookEvent, SnapshotTaken};
use crate::refusal::Refusal;
use chrono::NaiveDate;

fn january_closed() -> Vec<BookEvent> {
    vec![
        mint(),
        credit("alice"),
        paid("alice", "100"),
        period_closed("2026-01-31"),
    ]
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn a_day_that_is_over_can_be_closed() {
    given([])
        .when(close_period("2026-01-31"))
        .then(period_closed("2026-01-31"))
        .when(close_period("2026-02-01"))
        .refused(Refusal::PeriodNotOver(day("2026-02-01")));
}

#[test]
fn the_closing_date_moves_forward_only() {
    for through in ["2026-01-31", "2026-01-30", "1999-12-31"] {
        given(january_closed())
            .when(close_period(through))
            .refused(Refusal::PeriodNotForward(day("2026-01-31")));
    }
    given(january_closed())
        .at("2026-02-02T00:00:00Z")
        .when(close_period("2026-02-01"))
        .then(period_closed("2026-02-01"));
}

#[test]
fn a_closing_date_has_a_year_of_four_digits() {
    given([]).when(close_period("1899-12-31")).refused_as("invalid_text");
    given([]).when(close_period("1900-01-01")).accepted();
}

#[test]
fn nothing_is_effective_in_a_closed_period() {
    let last = "2026-01-31T23:59:59.999999Z";
    given(january_closed())
        .when(post_effective(last, [from("alice", "mint", "1")]))
        .refused(Refusal::PeriodClosed {
            through: day("2026-01-31"),
            effective_at: time(last),
        });
    given(january_closed())
        .when(post_effective("2026-02-01T00:00:00Z", [from("alice", "mint", "1")]))
        .accepted();
}

#[test]
fn without_a_closing_date_the_past_is_open() {
    given([mint(), credit("alice")])
        .when(post_effective("1900-01-01T00:00:00Z", [from("mint", "alice", "1")]))
        .accepted();
}

#[test]
fn what_can_be_spent_counts_what_takes_effect_later() {
    given([mint(), credit("alice")])
        .when(post_effective("2027-01-01T00:00:00Z", [from("mint", "alice", "1")]))
        .accepted()
        .when(post([from("alice", "mint", "1")]))
        .accepted();
}

#[test]
fn a_snapshot_records_the_hash_of_the_state() {
    let given = given(january_closed());
    let state_hash = given.book.state_hash();
    given
        .when(Command::TakeSnapshot { position: 4 })
        .then(BookEvent::SnapshotTaken(SnapshotTaken {
            position: 4,
            state_hash,
        }))
        .leaves("alice", "100.0000");
}
