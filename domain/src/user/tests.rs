//! Given, when, then for users.

use super::*;
use crate::given::given;
use crate::ids::{FlagId, PayoutId, UserId};
use crate::machine::assert_machine;
use crate::sealed::Sealed;
use uuid::Uuid;

const MACHINE: &str = include_str!("tests/machine.txt");

fn user() -> UserId {
    UserId(Uuid::from_u128(1))
}

fn payout(number: u128) -> PayoutId {
    PayoutId(Uuid::from_u128(number))
}

fn flag(number: u128) -> FlagId {
    FlagId(Uuid::from_u128(number))
}

fn profile(text: &str) -> Sealed {
    Sealed {
        ct: text.to_owned(),
        key: Uuid::from_u128(10),
        nonce: "AAECAwQFBgcICQoL".to_owned(),
        person: user().0,
    }
}

fn register(role: Role) -> UserCommand {
    UserCommand::Register {
        user: user(),
        role,
        profile: profile("first"),
    }
}

fn registered(role: Role) -> UserEvent {
    UserEvent::Registered(Registered {
        profile: profile("first"),
        role,
        user: user(),
    })
}

fn opened(number: u128) -> UserEvent {
    let payout = payout(number);
    UserEvent::PayoutOpened(PayoutOfUser { payout, user: user() })
}

fn closed(number: u128) -> UserEvent {
    let payout = payout(number);
    UserEvent::PayoutClosed(PayoutOfUser { payout, user: user() })
}

fn flagged(number: u128) -> UserEvent {
    let flag = flag(number);
    UserEvent::Flagged(FlagOfUser { flag, user: user() })
}

fn cleared(number: u128) -> UserEvent {
    let flag = flag(number);
    UserEvent::FlagCleared(FlagOfUser { flag, user: user() })
}

fn verified(verification: Verification) -> UserEvent {
    let user = user();
    UserEvent::VerificationChanged(VerificationChanged { verification, user })
}

#[test]
fn every_command_in_every_state() {
    let with = |event: UserEvent| vec![registered(Role::Creator), event];
    let columns = [
        ("missing", vec![]),
        ("sponsor", vec![registered(Role::Sponsor)]),
        ("creator", vec![registered(Role::Creator)]),
        ("paying", with(opened(1))),
        ("flagged", with(flagged(1))),
        ("pending", with(verified(Verification::Pending))),
    ];
    let commands = [
        register(Role::Creator),
        UserCommand::ChangeProfile {
            profile: profile("second"),
        },
        UserCommand::ChangeVerification {
            verification: Verification::Pending,
        },
        UserCommand::OpenPayout { payout: payout(1) },
        UserCommand::ClosePayout { payout: payout(1) },
        UserCommand::Flag { flag: flag(1) },
        UserCommand::ClearFlag { flag: flag(1) },
    ];
    // A new command does not compile here: give it a row.
    let rows = commands.map(|command| match command {
        UserCommand::Register { .. } => ("register", command),
        UserCommand::ChangeProfile { .. } => ("change_profile", command),
        UserCommand::ChangeVerification { .. } => ("change_verification", command),
        UserCommand::OpenPayout { .. } => ("open_payout", command),
        UserCommand::ClosePayout { .. } => ("close_payout", command),
        UserCommand::Flag { .. } => ("flag", command),
        UserCommand::ClearFlag { .. } => ("clear_flag", command),
    });
    assert_machine::<User>(MACHINE, &columns, &rows, |_| "ok");
}

#[test]
fn somebody_registers_once() {
    for role in Role::ALL {
        let state = given::<User>([]).when(register(role)).then([registered(role)]).state();
        assert_eq!((state.id, state.role), (user(), Some(role)));
        assert_eq!(state.profile, Some(profile("first")));
        assert_eq!(state.verification, Verification::Unverified);
        given::<User>([registered(role)])
            .when(register(Role::Sponsor))
            .then_error(UserError::UserExists(user()));
    }
}

#[test]
fn those_who_have_money_get_a_wallet() {
    for role in Role::ALL {
        let wallets = crate::DomainEvent::effects(&registered(role)).len();
        let expected = matches!(role, Role::Sponsor | Role::Creator);
        assert_eq!(wallets, usize::from(expected), "{role:?}");
    }
}

#[test]
fn nothing_happens_to_nobody() {
    given::<User>([])
        .when(UserCommand::Flag { flag: flag(1) })
        .then_error(UserError::UnknownUser);
}

#[test]
fn a_profile_is_replaced() {
    let changed = UserEvent::ProfileChanged(ProfileChanged {
        profile: profile("second"),
        user: user(),
    });
    let state = given::<User>([registered(Role::Creator)])
        .when(UserCommand::ChangeProfile {
            profile: profile("second"),
        })
        .then([changed])
        .state();
    assert_eq!(state.profile, Some(profile("second")));
}

#[test]
fn a_verification_goes_from_anything_to_anything_else() {
    use Verification::*;
    let all = [Unverified, Pending, Verified, Rejected];
    for (from, to) in all.into_iter().flat_map(|from| all.map(|to| (from, to))) {
        let past = given::<User>([registered(Role::Creator), verified(from)]);
        let when = past.when(UserCommand::ChangeVerification { verification: to });
        if from == to {
            when.then_error(UserError::VerificationUnchanged(to));
        } else {
            assert_eq!(when.then([verified(to)]).state().verification, to);
        }
    }
}

#[test]
fn only_creators_have_payouts() {
    for role in Role::ALL {
        let when = given::<User>([registered(role)]).when(UserCommand::OpenPayout { payout: payout(1) });
        if role == Role::Creator {
            when.then([opened(1)]);
        } else {
            when.then_error(UserError::NotACreator { user: user(), role });
        }
    }
}

#[test]
fn payouts_are_opened_and_closed_one_by_one() {
    let state = given::<User>([registered(Role::Creator), opened(1)])
        .when(UserCommand::OpenPayout { payout: payout(2) })
        .then([opened(2)])
        .when(UserCommand::ClosePayout { payout: payout(1) })
        .then([closed(1)])
        .state();
    assert_eq!(state.open_payouts, [payout(2)].into());
    given::<User>([registered(Role::Creator), opened(1)])
        .when(UserCommand::OpenPayout { payout: payout(1) })
        .then_error(UserError::PayoutAlreadyOpen(payout(1)));
    given::<User>([registered(Role::Creator), opened(1), closed(1)])
        .when(UserCommand::ClosePayout { payout: payout(1) })
        .then_error(UserError::PayoutNotOpen(payout(1)));
}

#[test]
fn suspicions_come_and_go_one_by_one() {
    let state = given::<User>([registered(Role::Sponsor), flagged(1)])
        .when(UserCommand::Flag { flag: flag(2) })
        .then([flagged(2)])
        .when(UserCommand::ClearFlag { flag: flag(1) })
        .then([cleared(1)])
        .state();
    assert_eq!(state.flags, [flag(2)].into());
    given::<User>([registered(Role::Sponsor), flagged(1)])
        .when(UserCommand::Flag { flag: flag(1) })
        .then_error(UserError::AlreadyFlagged(flag(1)));
    given::<User>([registered(Role::Sponsor), flagged(1)])
        .when(UserCommand::ClearFlag { flag: flag(2) })
        .then_error(UserError::NotFlagged(flag(2)));
}
