//! Every command in every status, of a payout that nothing stops and of one that is held.

use super::*;
use crate::machine::assert_machine;

fn rows() -> Vec<(&'static str, PayoutCommand)> {
    let commands = [
        PayoutCommand::Request(request()),
        approve_as_sponsor(&sponsor().to_string()),
        approve_as_admin("admin"),
        reject(),
        cancel(),
        submit(),
        settle(),
        fail(false),
        fail(true),
        lose_sight(),
        PayoutCommand::Hold { flag: flag(1) },
        PayoutCommand::Release { flag: flag(1) },
    ];
    commands.map(|command| (name(&command), command)).into()
}

/// A new command does not compile here: give it a row.
fn name(command: &PayoutCommand) -> &'static str {
    match command {
        PayoutCommand::Request(_) => "request",
        PayoutCommand::ApproveAsSponsor { .. } => "approve_as_sponsor",
        PayoutCommand::ApproveAsAdmin { .. } => "approve_as_admin",
        PayoutCommand::Reject { .. } => "reject",
        PayoutCommand::Cancel { .. } => "cancel",
        PayoutCommand::Submit { .. } => "submit",
        PayoutCommand::Settle { .. } => "settle",
        PayoutCommand::FailAttempt { finally: false, .. } => "fail_attempt",
        PayoutCommand::FailAttempt { finally: true, .. } => "fail_finally",
        PayoutCommand::LoseSight { .. } => "lose_sight",
        PayoutCommand::Hold { .. } => "hold",
        PayoutCommand::Release { .. } => "release",
    }
}

#[test]
fn the_machine_of_a_payout() {
    let columns = Status::ALL.map(|status| (status.as_str(), past(status)));
    assert_machine::<Payout>(include_str!("machine.txt"), &columns, &rows(), |payout| {
        payout.status.as_str()
    });
}

#[test]
fn the_machine_of_a_held_payout() {
    let exists = Status::ALL.into_iter().filter(|status| *status != Status::Missing);
    // The suspicion comes up right after the request.
    let columns: Vec<_> = exists
        .map(|status| {
            let mut past = past(status);
            past.insert(1, held(1));
            (status.as_str(), past)
        })
        .collect();
    assert_machine::<Payout>(include_str!("held.txt"), &columns, &rows(), |payout| {
        payout.status.as_str()
    });
}
