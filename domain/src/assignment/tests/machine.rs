//! Every command in every status: where it leads, or which refusal comes first.

use super::*;
use crate::machine::assert_machine;
use std::collections::BTreeSet;

/// A new command does not compile here: it needs a row in the tables and an example below.
fn name(command: &AssignmentCommand) -> &'static str {
    match command {
        AssignmentCommand::Invite { .. } => "invite",
        AssignmentCommand::Accept { .. } => "accept",
        AssignmentCommand::Join { .. } => "join",
        AssignmentCommand::Decline { .. } => "decline",
        AssignmentCommand::Withdraw { .. } => "withdraw",
        AssignmentCommand::Submit { .. } => "submit",
        AssignmentCommand::Approve { .. } => "approve",
        AssignmentCommand::Reject { .. } => "reject",
        AssignmentCommand::Expire { .. } => "expire",
        AssignmentCommand::Cancel { .. } => "cancel",
    }
}

fn check(table: &str, now: DateTime<Utc>) {
    let commands = [
        invite(now),
        accept(now),
        join(now),
        decline(None),
        withdraw(None),
        submit(work(), &json!({}), now),
        approve(),
        reject("too short"),
        AssignmentCommand::Expire { now: now.into() },
        cancel(None),
    ];
    let columns = Status::ALL.map(|status| (status.as_str(), past(status)));
    let rows = commands.map(|command| (name(&command), command));
    assert_machine::<Assignment>(table, &columns, &rows, |assignment| assignment.status.as_str());
}

#[test]
fn the_machine_before_the_deadline() {
    check(include_str!("before.txt"), now());
}

#[test]
fn the_machine_after_the_deadline() {
    check(include_str!("after.txt"), deadline());
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    let codes: BTreeSet<_> = AssignmentError::CODES.iter().collect();
    assert_eq!(codes.len(), AssignmentError::CODES.len());
}
