//! Where several things are wrong with a command, the variant that stands first in `refusal.rs` is the answer. Each
//! command is spoilt in every pair of ways, and in both orders.

use super::words::*;
use super::{Book, given};
use crate::account::NormalSide::{Credit, Debit};
use crate::amount::Amount;
use crate::asset::Asset;
use crate::command::Command;
use crate::event::BookEvent;
use crate::refusal::Refusal;
use crate::transaction::{Code, NewTransaction, Posting};
use std::collections::BTreeSet;
use uuid::Uuid;

/// The codes in the order of the variants, read from the source, so that the two cannot drift apart.
fn order() -> Vec<&'static str> {
    let source = include_str!("../../refusal.rs");
    let (variants, codes) = source.split_once("impl Refusal").unwrap();
    let name = |line: &'static str| line.split([' ', '(', ',']).next().unwrap_or_default();
    let variants: Vec<&str> = variants
        .lines()
        .filter_map(|line| line.strip_prefix("    ").map(name))
        .filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect();
    let arms = codes.lines().filter_map(|line| line.trim().strip_prefix("Refusal::"));
    let (arms, codes): (Vec<&str>, Vec<&str>) = arms
        .map(|arm| (name(arm), arm.split('"').nth(1).unwrap_or_default()))
        .unzip();
    assert_eq!(arms, variants, "code() lists the variants in their order");
    assert!(codes.len() >= 26);
    codes
}

/// The history that all cases share: something of every kind that can be in the way.
fn book() -> Book {
    let full = Posting {
        amount: Amount::MAX,
        ..from("mint2", "full", "1")
    };
    given([
        mint(),
        opened("mint2", "VCOIN", Credit, true),
        credit("alice"),
        credit("bob"),
        credit("empty"),
        credit("full"),
        credit("closed"),
        credit("frozen"),
        opened("dollars", "USD", Debit, true),
        BookEvent::TransactionPosted(posted([full])),
        paid("alice", "100"),
        held(1, "alice", "10"),
        held_until(2, "alice", "10", "2026-02-01T13:00:00Z"),
        closed("closed"),
        frozen("frozen"),
        period_closed("2026-01-31"),
    ])
    .book
}

/// One way to spoil a command: the code of its refusal, and what is done to the command.
type Defect<T> = (&'static str, fn(&mut T));

/// Spoils the command in every way and every pair of ways; says which refusals were produced.
fn spoil<T: Clone>(sound: &T, defects: &[Defect<T>], command: impl Fn(T) -> (Book, Command, &'static str)) {
    let order = order();
    let rank = |code: &str| order.iter().position(|c| *c == code).unwrap();
    let mut seen = BTreeSet::new();
    let answer = |spoilt: T| {
        let (book, command, now) = command(spoilt);
        book.decide(EVENT, time(now), &command).map_err(|r| Refusal::code(&r))
    };
    assert!(answer(sound.clone()).is_ok(), "{:?}", answer(sound.clone()));
    for (first_code, first) in defects {
        for (second_code, second) in defects {
            let mut spoilt = sound.clone();
            first(&mut spoilt);
            second(&mut spoilt);
            let expected = if rank(first_code) <= rank(second_code) {
                first_code
            } else {
                second_code
            };
            assert_eq!(
                answer(spoilt).err(),
                Some(*expected),
                "first {first_code}, then {second_code}"
            );
            seen.insert(*expected);
        }
    }
    assert_eq!(seen.len(), defects.iter().map(|d| d.0).collect::<BTreeSet<_>>().len());
}

/// What is wrong with a transaction by itself. Postings are only added, so that defects do not hide each other.
const SHAPE: [Defect<NewTransaction>; 4] = [
    ("invalid_text", |t| t.description = Some("\n".to_owned())),
    ("self_transfer", |t| t.postings.push(from("alice", "alice", "1"))),
    ("amount_not_positive", |t| t.postings.push(from("alice", "bob", "0"))),
    ("too_many_postings", |t| {
        t.postings.extend(vec![from("alice", "bob", "0.0001"); 200]);
    }),
];

/// What is wrong with its accounts.
const ACCOUNTS: [Defect<NewTransaction>; 4] = [
    ("unknown_account", |t| t.postings.push(from("alice", "nobody", "1"))),
    ("asset_mismatch", |t| t.postings.push(from("alice", "dollars", "1"))),
    ("account_closed", |t| t.postings.push(from("alice", "closed", "1"))),
    ("account_frozen", |t| t.postings.push(from("alice", "frozen", "1"))),
];

#[test]
fn of_postings() {
    let mut defects = [SHAPE, ACCOUNTS].concat();
    defects.extend([
        (
            "reserved_code",
            (|t| t.code = Code::REVERSAL) as fn(&mut NewTransaction),
        ),
        ("overflow", |t| t.postings.push(from("alice", "full", "1"))),
        ("insufficient_funds", |t| t.postings.push(from("empty", "bob", "1"))),
    ]);
    let dated = |at: &'static str| {
        move |mut t: NewTransaction| {
            t.effective_at = Some(time(at));
            (book(), Command::Post(t), NOW)
        }
    };
    let sound = transfer([from("alice", "bob", "1")]);
    spoil(&sound, &defects, |t| (book(), Command::Post(t), NOW));
    // Two defects of the one date exclude each other, so each is paired with the others by itself.
    let order = order();
    let rank = |code: &str| order.iter().position(|c| *c == code).unwrap();
    for (date, at) in [
        ("period_closed", "2026-01-31T00:00:00Z"),
        ("effective_out_of_range", "1899-01-01T00:00:00Z"),
    ] {
        for (code, defect) in &defects {
            let mut spoilt = sound.clone();
            defect(&mut spoilt);
            let (book, command, now) = dated(at)(spoilt);
            let got = book.decide(EVENT, time(now), &command).map_err(|r| r.code());
            let expected = if rank(code) < rank(date) { code } else { date };
            assert_eq!(got.err(), Some(expected), "{code} and {date}");
        }
        let (book, command, now) = dated(at)(sound.clone());
        assert_eq!(book.decide(EVENT, time(now), &command).map_err(|r| r.code()), Err(date));
    }
    let nothing = NewTransaction {
        code: Code::REVERSAL,
        description: Some("\n".to_owned()),
        effective_at: Some(time("1899-01-01T00:00:00Z")),
        ..transfer([])
    };
    let answer = book().decide(EVENT, time(NOW), &Command::Post(nothing));
    assert_eq!(answer, Err(Refusal::EmptyTransaction));
}

#[test]
fn of_captures() {
    let sound = (1, transfer([from("alice", "bob", "1")]));
    type Capture = (u128, NewTransaction);
    let mut defects: Vec<Defect<Capture>> = vec![
        ("reserved_code", |c| c.1.code = Code::REVERSAL),
        ("invalid_text", |c| c.1.description = Some("\n".to_owned())),
        ("self_transfer", |c| c.1.postings.push(from("alice", "alice", "1"))),
        ("amount_not_positive", |c| c.1.postings.push(from("alice", "bob", "0"))),
        ("too_many_postings", |c| {
            c.1.postings.extend(vec![from("alice", "bob", "0.0001"); 200]);
        }),
        ("unknown_account", |c| c.1.postings.push(from("alice", "nobody", "1"))),
        ("asset_mismatch", |c| c.1.postings.push(from("alice", "dollars", "1"))),
        ("account_closed", |c| c.1.postings.push(from("alice", "closed", "1"))),
        ("account_frozen", |c| c.1.postings.push(from("alice", "frozen", "1"))),
        ("capture_from_other_account", |c| {
            c.1.postings.push(from("empty", "bob", "1"));
        }),
        ("capture_exceeds_hold", |c| {
            c.1.postings.push(from("alice", "bob", "11"))
        }),
        ("overflow", |c| c.1.postings.push(from("alice", "full", "1"))),
    ];
    let command = |now| {
        move |(hold, t): Capture| {
            let hold = Uuid::from_u128(hold);
            (book(), Command::Capture { hold, transaction: t }, now)
        }
    };
    spoil(&sound, &defects, command(NOW));
    let late = "2026-02-01T13:00:00Z";
    defects.push(("hold_expired", |c| c.0 = 2));
    spoil(&sound, &defects, command(late));
    defects.pop();
    defects.push(("unknown_hold", |c| c.0 = 3));
    spoil(&sound, &defects, command(late));
}

#[test]
fn of_reversals() {
    type Reversal = (NewTransaction, bool);
    let sound: Reversal = (transfer([from("bob", "alice", "1")]), false);
    let defects: Vec<Defect<Reversal>> = vec![
        ("too_many_postings", |r| {
            r.0.postings.extend(vec![from("bob", "alice", "0.0001"); 200]);
        }),
        ("invalid_text", |r| r.0.description = Some("\n".to_owned())),
        ("self_transfer", |r| r.0.postings.push(from("alice", "alice", "1"))),
        ("amount_not_positive", |r| r.0.postings.push(from("bob", "alice", "0"))),
        ("reversal_of_reversal", |r| r.1 = true),
        ("unknown_account", |r| r.0.postings.push(from("nobody", "alice", "1"))),
        ("asset_mismatch", |r| r.0.postings.push(from("dollars", "alice", "1"))),
        ("account_closed", |r| r.0.postings.push(from("closed", "alice", "1"))),
        ("account_frozen", |r| r.0.postings.push(from("frozen", "alice", "1"))),
        ("overflow", |r| r.0.postings.push(from("full", "alice", "1"))),
        ("insufficient_funds", |r| r.0.postings.push(from("bob", "empty", "1"))),
    ];
    let command = |(t, is_reversal): Reversal| Command::Reverse {
        original: Uuid::from_u128(9),
        postings: t.postings,
        is_reversal,
        reason: t.description,
    };
    spoil(&sound, &defects, |r| (book(), command(r), NOW));
    let nothing = (
        NewTransaction {
            description: Some("\n".to_owned()),
            ..transfer([])
        },
        true,
    );
    let answer = book().decide(EVENT, time(NOW), &command(nothing));
    assert_eq!(answer, Err(Refusal::EmptyTransaction));
}

#[test]
fn of_holds() {
    // Name of the account, amount, asset, end, text of the reference.
    type Hold = (&'static str, Amount, Asset, Option<&'static str>, &'static str);
    let sound: Hold = ("alice", vcoin("1"), Asset::VCOIN, None, "assignment");
    let own: [Defect<Hold>; 4] = [
        ("invalid_text", |h| h.4 = "\n"),
        ("amount_not_positive", |h| h.1 = Amount::ZERO),
        ("expiry_in_past", |h| h.3 = Some(NOW)),
        ("insufficient_funds", |h| {
            if h.1.is_positive() {
                h.1 = vcoin("81");
            }
        }),
    ];
    // An account is one thing at a time, so each goes with the others by itself.
    let accounts: [Defect<Hold>; 4] = [
        ("unknown_account", |h| h.0 = "nobody"),
        ("asset_mismatch", |h| h.2 = asset("USD")),
        ("account_closed", |h| h.0 = "closed"),
        ("account_frozen", |h| h.0 = "frozen"),
    ];
    let command = |(account, amount, asset, expires_at, kind): Hold| Command::PlaceHold {
        account: address(account),
        amount,
        asset,
        expires_at: expires_at.map(time),
        reference: Some(crate::transaction::Reference {
            id: "1".to_owned(),
            kind: kind.to_owned(),
        }),
    };
    let on_mint2 = |mut h: Hold| {
        // An account whose holds are nearly at the bounds, for one that overflows.
        let mut book = book();
        let BookEvent::HoldPlaced(mut placed) = held(8, "mint2", "1") else {
            return (book, command(h), NOW);
        };
        placed.amount = Amount::MAX;
        book.evolve(time(NOW), &BookEvent::HoldPlaced(placed)).unwrap();
        if h.0 == "alice" {
            h.0 = "mint2";
        }
        (book, command(h), NOW)
    };
    for account in accounts {
        let mut defects = own.to_vec();
        defects.push(account);
        spoil(&sound, &defects, |h| (book(), command(h), NOW));
        if account.0 != "asset_mismatch" {
            let mut both = sound;
            both.2 = asset("USD");
            (account.1)(&mut both);
            let expected = if account.0 == "unknown_account" {
                "unknown_account"
            } else {
                "asset_mismatch"
            };
            let got = book()
                .decide(EVENT, time(NOW), &command(both))
                .map_err(|r| Refusal::code(&r));
            assert_eq!(got.err(), Some(expected));
        }
    }
    for (code, defect) in own.iter().take(3) {
        let mut spoilt = sound;
        defect(&mut spoilt);
        let (book, command, now) = on_mint2(spoilt);
        assert_eq!(
            book.decide(EVENT, time(now), &command).map_err(|r| r.code()),
            Err(*code)
        );
    }
    let (book, command, now) = on_mint2(sound);
    assert_eq!(
        book.decide(EVENT, time(now), &command).map_err(|r| r.code()),
        Err("overflow")
    );
}

#[test]
fn of_all_others() {
    let named = |account: &str, reason: &str| (address(account), Some(reason.to_owned()));
    let cases = |account: &str, reason: &str| {
        let (account, reason) = named(account, reason);
        [
            Command::FreezeAccount {
                account: account.clone(),
                reason: reason.clone(),
            },
            Command::UnfreezeAccount {
                account: account.clone(),
                reason: reason.clone(),
            },
            Command::CloseAccount { account, reason },
        ]
    };
    let answers = |account: &str, reason: &str| {
        cases(account, reason).map(|command| {
            let answer = book().decide(EVENT, time(NOW), &command);
            answer.err().map_or("accepted", |refusal| refusal.code())
        })
    };
    for account in ["nobody", "closed", "frozen", "alice"] {
        assert_eq!(answers(account, "\n"), ["invalid_text"; 3]);
    }
    assert_eq!(answers("nobody", ""), ["unknown_account"; 3]);
    assert_eq!(answers("closed", ""), ["account_closed"; 3]);
    assert_eq!(answers("frozen", ""), ["account_frozen", "accepted", "account_frozen"]);
    assert_eq!(
        answers("alice", ""),
        ["accepted", "account_not_frozen", "account_not_empty"]
    );
    // A frozen account that is not empty is frozen first.
    let mut frozen_alice = book();
    frozen_alice.evolve(time(NOW), &frozen("alice")).unwrap();
    let answer = frozen_alice.decide(EVENT, time(NOW), &close("alice"));
    assert_eq!(answer, Err(Refusal::AccountFrozen(address("alice"))));

    let void = Command::VoidHold {
        hold: Uuid::from_u128(3),
        reason: Some("\n".to_owned()),
    };
    let answer = book().decide(EVENT, time(NOW), &void);
    assert_eq!(answer.map_err(|r| r.code()), Err("invalid_text"));
    // A day before the closing date is over; one that is not forward and not over cannot be, unless the clock is wrong.
    let early = "2026-01-20T00:00:00Z";
    let answer = book().decide(EVENT, time(early), &close_period("2026-01-25"));
    assert_eq!(answer.map_err(|r| r.code()), Err("period_not_forward"));
}
