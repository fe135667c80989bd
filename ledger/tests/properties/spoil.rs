//! What can be wrong with a command. The model says what the answer must be; here only something is broken.

use crate::dice::Dice;
use crate::generator::{Generator, minor};
use crate::model::{MAX, Model};
use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;
use viral_ledger::{Address, Amount, Asset, Code, Command, NewTransaction, Posting, Reference};

/// Breaks something about a command.
pub(crate) fn spoil(generator: &Generator, dice: &mut Dice, model: &Model, now: DateTime<Utc>, command: &mut Command) {
    let any_address = |dice: &mut Dice| generator.address(dice.below(14));
    match command {
        Command::OpenAccount { account, .. } => *account = any_address(dice),
        Command::FreezeAccount { account, reason }
        | Command::UnfreezeAccount { account, reason }
        | Command::CloseAccount { account, reason } => match dice.below(5) {
            0 => *reason = Some(bad_text(dice, 1_000)),
            _ => *account = any_address(dice),
        },
        Command::Post(transaction) => match dice.below(20) {
            0 => {
                let closed = model.closed_through.unwrap_or(now.date_naive());
                let end = NaiveTime::from_hms_micro_opt(23, 59, 59, 999_999).expect("a time");
                transaction.effective_at = Some(closed.and_time(end).and_utc());
            }
            1 => transaction.effective_at = dice.pick(&["1899-12-31T23:59:59Z", "+10000-01-01T00:00:00Z"]).map(time),
            _ => spoil_transaction(generator, dice, model, transaction),
        },
        Command::Capture { hold, transaction } => match dice.below(12) {
            0 | 1 => *hold = any_hold(dice, model),
            2 => *hold = expired_hold(dice, model, now).unwrap_or(*hold),
            3 | 4 => {
                // One minor unit more than is held.
                if let (Some(hold), [posting, ..]) = (model.holds.get(hold), &mut transaction.postings[..]) {
                    posting.amount = bounded(hold.amount + 1);
                }
            }
            5 => transaction.effective_at = Some(now - Duration::days(400)),
            6 => {
                // The money would flow into the hold's account, or past it.
                if let [.., posting] = &mut transaction.postings[..] {
                    std::mem::swap(&mut posting.debit, &mut posting.credit);
                }
            }
            _ => spoil_transaction(generator, dice, model, transaction),
        },
        Command::Reverse {
            postings,
            is_reversal,
            reason,
            ..
        } => match dice.below(5) {
            0 | 1 => *is_reversal = true,
            2 => *reason = Some(bad_text(dice, 1_000)),
            _ => spoil_postings(generator, dice, model, postings),
        },
        Command::PlaceHold { .. } => spoil_hold(generator, dice, model, now, command),
        Command::VoidHold { hold, reason } => match dice.below(4) {
            0 => *reason = Some(bad_text(dice, 1_000)),
            _ => *hold = any_hold(dice, model),
        },
        Command::ExpireHold { hold } => *hold = any_hold(dice, model),
        Command::ClosePeriod { through } => {
            *through = match dice.below(4) {
                0 => now.date_naive(),
                1 => now.date_naive() + Days::new(dice.below(3)),
                2 => model.closed_through.unwrap_or(*through) - Days::new(dice.below(3)),
                _ => NaiveDate::from_ymd_opt(1899, 12, 31).expect("a date"),
            }
        }
        Command::TakeSnapshot { .. } => {}
    }
}

fn spoil_transaction(generator: &Generator, dice: &mut Dice, model: &Model, transaction: &mut NewTransaction) {
    match dice.below(12) {
        0 => transaction.code = Code::REVERSAL,
        1 => transaction.description = Some(bad_text(dice, 1_000)),
        2 => {
            transaction.reference = Some(Reference {
                id: bad_text(dice, 200),
                kind: String::new(),
            });
        }
        3 => {
            let (key, value) = (bad_text(dice, 64), String::new());
            transaction.metadata = [(key, value)].into();
            if dice.percent(30) {
                transaction.metadata = (0..65).map(|n| (n.to_string(), String::new())).collect();
            }
        }
        _ => spoil_postings(generator, dice, model, &mut transaction.postings),
    }
}

/// Replaces a posting by a broken one, or adds it, so that defects meet in all orders.
fn spoil_postings(generator: &Generator, dice: &mut Dice, model: &Model, postings: &mut Vec<Posting>) {
    if dice.percent(8) {
        return postings.clear();
    }
    let Some(mut posting) = dice.pick(postings) else {
        return;
    };
    if dice.percent(3) {
        postings.resize(201, posting);
        return;
    }
    let flagged = |frozen: bool| {
        let some = model
            .accounts
            .iter()
            .filter(|(_, a)| if frozen { a.frozen } else { a.closed });
        some.map(|(address, _)| address.clone()).collect::<Vec<Address>>()
    };
    match dice.below(11) {
        0 => posting.credit = posting.debit.clone(),
        1 => posting.amount = Amount::ZERO,
        2 => posting.amount = minor(-dice.up_to(MAX)),
        3 => posting.debit = generator.address(dice.below(14)),
        4 => posting.credit = generator.address(dice.below(14)),
        5 => posting.asset = Asset::parse("EUR").expect("an asset"),
        6 => posting.credit = dice.pick(&flagged(true)).unwrap_or(posting.credit),
        7 => posting.debit = dice.pick(&flagged(false)).unwrap_or(posting.debit),
        8 => posting.amount = minor(MAX - i128::from(dice.below(2))),
        9 => {
            // One minor unit more than the totals have room for.
            let debits = model.accounts.get(&posting.debit).map_or(0, |a| a.debits);
            posting.amount = bounded(MAX - debits + 1);
        }
        _ => {
            // One minor unit more than there is.
            let address = if dice.percent(60) {
                &posting.debit
            } else {
                &posting.credit
            };
            posting.amount = bounded(model.available(address) + 1);
        }
    }
    let place = usize::try_from(dice.below(u64::try_from(postings.len()).unwrap())).unwrap();
    if dice.percent(60) {
        postings[place] = posting;
    } else {
        postings.insert(place, posting);
    }
}

fn spoil_hold(generator: &Generator, dice: &mut Dice, model: &Model, now: DateTime<Utc>, command: &mut Command) {
    let Command::PlaceHold {
        account,
        amount,
        asset,
        expires_at,
        reference,
    } = command
    else {
        return;
    };
    match dice.below(9) {
        0 => *amount = minor(-i128::from(dice.below(2))),
        1 => *amount = minor(MAX),
        2 | 3 => *amount = bounded(model.available(account) + 1),
        4 => *asset = Asset::parse("EUR").expect("an asset"),
        5 => *expires_at = Some(now - Duration::nanoseconds(i64::try_from(dice.below(3)).unwrap())),
        6 => {
            *reference = Some(Reference {
                id: String::new(),
                kind: bad_text(dice, 64),
            });
        }
        7 if dice.percent(30) => *expires_at = Some(time("+10000-01-01T00:00:00Z")),
        _ => *account = generator.address(dice.below(14)),
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn bounded(amount: i128) -> Amount {
    minor(amount.clamp(-MAX, MAX))
}

fn bad_text(dice: &mut Dice, max: usize) -> String {
    match dice.below(4) {
        0 => "é".repeat(max + 1),
        1 => "a\nb".to_owned(),
        2 => "\u{0}".to_owned(),
        // Just short enough: not bad at all.
        _ => "é".repeat(max),
    }
}

/// An open hold, one that was resolved, or none that ever was.
fn any_hold(dice: &mut Dice, model: &Model) -> Uuid {
    let open: Vec<Uuid> = model.holds.keys().copied().collect();
    let hold = if dice.percent(40) {
        dice.pick(&open)
    } else {
        dice.pick(&model.resolved)
    };
    hold.unwrap_or_else(|| Uuid::from_u128(u128::from(dice.next())))
}

fn expired_hold(dice: &mut Dice, model: &Model, now: DateTime<Utc>) -> Option<Uuid> {
    let expired = model
        .holds
        .iter()
        .filter(|(_, h)| h.expires_at.is_some_and(|at| at <= now));
    dice.pick(&expired.map(|(id, _)| *id).collect::<Vec<_>>())
}
