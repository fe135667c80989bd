//! What to ask next: mostly something that the state allows.

use crate::dice::Dice;
use crate::model::{MAX, Model};
use crate::spoil::spoil;
use chrono::{DateTime, Days, Duration, NaiveTime, Utc};
use uuid::Uuid;
use viral_ledger::{Address, Amount, Asset, Code, Command, NewTransaction, NormalSide, Posting, Reference};

/// Where commands come from.
#[derive(Clone, Copy)]
pub(crate) struct Generator {
    /// Stands before every address.
    pub(crate) prefix: &'static str,
    /// Whether to close periods and take snapshots, which concern the whole book.
    pub(crate) whole_book: bool,
}

pub(crate) fn minor(minor: i128) -> Amount {
    Amount::from_minor(minor).expect("within the bounds")
}

fn asset(dice: &mut Dice) -> Asset {
    let code = match dice.below(100) {
        0..50 => "VCOIN",
        50..75 => "USD",
        75..90 => "JPY",
        _ => "KWD",
    };
    Asset::parse(code).expect("an asset")
}

/// Text that is a nuisance to JSON.
pub(crate) fn remark(dice: &mut Dice) -> Option<String> {
    let texts = ["", "ok", "\"quoted\" \\ / é", "𝄞 日本 \u{2028}", "{\"type\":\"x\"}"];
    if dice.percent(80) {
        None
    } else {
        dice.pick(&texts).map(str::to_owned)
    }
}

fn reference(dice: &mut Dice) -> Option<Reference> {
    dice.percent(20).then(|| Reference {
        id: dice.below(50).to_string(),
        kind: "campaign".to_owned(),
    })
}

/// An amount of at most `limit`, which is more than zero: often one at an edge.
pub(crate) fn amount(dice: &mut Dice, limit: i128) -> Amount {
    let edge = if limit > MAX / 1_000 { 2 } else { 20 };
    let chosen = match dice.below(100) {
        chance if chance < edge => limit,
        0..30 => 1,
        30..75 => dice.up_to(limit.min(10_000)),
        75..95 => dice.up_to(limit.min(1_000_000_000)),
        95..98 => limit / 3 + 1,
        _ => dice.up_to(limit.min(MAX / 100_000)),
    };
    minor(chosen.min(limit))
}

impl Generator {
    pub(crate) fn address(&self, number: u64) -> Address {
        let name = match number % 3 {
            0 => format!("{}a-{number}", self.prefix),
            1 => format!("{}user:{number}:wallet", self.prefix),
            _ => format!("{}B_{number}", self.prefix),
        };
        Address::parse(&name).expect("an address")
    }

    /// How much later the next command is asked: now and then exactly when a hold expires or a day begins.
    pub(crate) fn later(&self, dice: &mut Dice, model: &Model, now: DateTime<Utc>) -> DateTime<Utc> {
        match dice.below(100) {
            0..20 => now,
            20..28 => {
                let ends: Vec<_> = model.holds.values().filter_map(|hold| hold.expires_at).collect();
                dice.pick(&ends).map_or(now, |end| end.max(now))
            }
            28..32 => (now.date_naive() + Days::new(1)).and_time(NaiveTime::MIN).and_utc(),
            32..35 => now + Duration::hours(30),
            35..45 => now + Duration::nanoseconds(700),
            _ => now + Duration::microseconds(i64::try_from(dice.below(600_000_000)).unwrap()),
        }
    }

    /// The next command. A third of them are spoilt.
    pub(crate) fn command(&self, dice: &mut Dice, model: &Model, now: DateTime<Utc>) -> Command {
        let mut command = self
            .promising(dice, model, now)
            .or_else(|| self.open(dice, model))
            .unwrap_or_else(|| self.post(dice, model, now).unwrap_or(void_unknown()));
        let defects = match dice.below(100) {
            0..68 => 0,
            68..88 => 1,
            88..97 => 2,
            _ => 3,
        };
        for _ in 0..defects {
            spoil(self, dice, model, now, &mut command);
        }
        command
    }

    fn promising(&self, dice: &mut Dice, model: &Model, now: DateTime<Utc>) -> Option<Command> {
        if model.accounts.len() < 4 {
            return self.open(dice, model);
        }
        match dice.below(100) {
            0..4 => self.open(dice, model),
            4..6 => self.on_account(dice, model, |model, address| model.accounts[address].usable()),
            6..9 => self.unfreeze(dice, model),
            9..10 => self.close(dice, model),
            10..26 => self.hold(dice, model, now),
            26..40 => self.capture(dice, model, now),
            40..44 => {
                let hold = dice.pick(&model.holds.keys().copied().collect::<Vec<_>>())?;
                let reason = remark(dice);
                Some(Command::VoidHold { hold, reason })
            }
            44..49 => {
                let over = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
                let expired = model.holds.iter().filter(|(_, hold)| over(hold.expires_at));
                let hold = dice.pick(&expired.map(|(id, _)| *id).collect::<Vec<_>>())?;
                Some(Command::ExpireHold { hold })
            }
            49..54 => self.reverse(dice, model),
            54..56 if self.whole_book => self.close_period(dice, model, now),
            56..57 if self.whole_book => Some(Command::TakeSnapshot { position: dice.next() }),
            _ => self.post(dice, model, now),
        }
    }

    fn open(&self, dice: &mut Dice, model: &Model) -> Option<Command> {
        let free: Vec<Address> = (0..12).map(|n| self.address(n)).collect();
        let free: Vec<Address> = free.into_iter().filter(|a| !model.accounts.contains_key(a)).collect();
        Some(Command::OpenAccount {
            account: dice.pick(&free)?,
            asset: asset(dice),
            normal_side: if dice.percent(60) {
                NormalSide::Credit
            } else {
                NormalSide::Debit
            },
            may_go_negative: dice.percent(40),
        })
    }

    fn on_account(&self, dice: &mut Dice, model: &Model, which: impl Fn(&Model, &Address) -> bool) -> Option<Command> {
        let some: Vec<Address> = model.accounts.keys().filter(|a| which(model, a)).cloned().collect();
        Some(Command::FreezeAccount {
            account: dice.pick(&some)?,
            reason: remark(dice),
        })
    }

    fn unfreeze(&self, dice: &mut Dice, model: &Model) -> Option<Command> {
        match self.on_account(dice, model, |model, address| model.accounts[address].frozen)? {
            Command::FreezeAccount { account, reason } => Some(Command::UnfreezeAccount { account, reason }),
            other => Some(other),
        }
    }

    fn close(&self, dice: &mut Dice, model: &Model) -> Option<Command> {
        let empty = |model: &Model, address: &Address| {
            let account = &model.accounts[address];
            account.usable() && account.balance() == 0 && model.held(address) == 0
        };
        match self.on_account(dice, model, empty)? {
            Command::FreezeAccount { account, reason } => Some(Command::CloseAccount { account, reason }),
            other => Some(other),
        }
    }

    fn close_period(&self, dice: &mut Dice, model: &Model, now: DateTime<Utc>) -> Option<Command> {
        let yesterday = now.date_naive() - Days::new(1);
        let first = model
            .closed_through
            .map_or(yesterday - Days::new(3), |date| date + Days::new(1));
        let days = u64::try_from((yesterday - first).num_days() + 1).ok()?;
        if days == 0 {
            return None;
        }
        let through = first + Days::new(dice.below(days));
        Some(Command::ClosePeriod { through })
    }

    fn hold(&self, dice: &mut Dice, model: &Model, now: DateTime<Utc>) -> Option<Command> {
        let usable = model.accounts.iter().filter(|(_, a)| a.usable());
        let account = dice.pick(&usable.map(|(address, _)| address.clone()).collect::<Vec<_>>())?;
        let may_go_negative = model.accounts[&account].may_go_negative;
        let spendable = if may_go_negative {
            MAX
        } else {
            model.available(&account)
        };
        let limit = spendable.min(MAX - model.held(&account));
        let until = match dice.below(100) {
            0..45 => None,
            45..50 => Some(Duration::microseconds(1)),
            50..55 => Some(Duration::nanoseconds(90_000_001_500)),
            _ => Some(Duration::minutes(i64::try_from(dice.up_to(300)).unwrap())),
        };
        (limit > 0).then(|| Command::PlaceHold {
            amount: amount(dice, limit),
            asset: model.accounts[&account].asset,
            expires_at: until.map(|until| now + until),
            reference: reference(dice),
            account,
        })
    }

    fn capture(&self, dice: &mut Dice, model: &Model, now: DateTime<Utc>) -> Option<Command> {
        let open = |at: Option<DateTime<Utc>>| at.is_none_or(|at| at > now);
        let can = |address: &Address| model.accounts[address].usable();
        let ready = model
            .holds
            .iter()
            .filter(|(_, h)| open(h.expires_at) && can(&h.account));
        let id = dice.pick(&ready.map(|(id, _)| *id).collect::<Vec<Uuid>>())?;
        let hold = &model.holds[&id];
        let from = &model.accounts[&hold.account];
        let others = model
            .accounts
            .iter()
            .filter(|(address, a)| a.usable() && a.asset == from.asset && **address != hold.account)
            // Those that grow by it, or may go negative.
            .filter(|(_, a)| a.may_go_negative || a.side == from.side)
            .map(|(address, _)| address.clone())
            .collect::<Vec<_>>();
        let mut left = hold.amount;
        let mut postings = Vec::new();
        for _ in 0..1 + dice.below(3) {
            let other = dice.pick(&others)?;
            if left == 0 {
                break;
            }
            let amount = amount(dice, left);
            left -= amount.minor();
            let (debit, credit) = match from.side {
                NormalSide::Credit => (hold.account.clone(), other),
                NormalSide::Debit => (other, hold.account.clone()),
            };
            postings.push(Posting {
                debit,
                credit,
                amount,
                asset: from.asset,
            });
        }
        let transaction = self.transaction(dice, postings, Code::CAPTURE);
        Some(Command::Capture { hold: id, transaction })
    }

    fn reverse(&self, dice: &mut Dice, model: &Model) -> Option<Command> {
        let recent = &model.posted[model.posted.len().saturating_sub(8)..];
        let originals: Vec<_> = recent.iter().filter(|t| !t.is_reversal).cloned().collect();
        let original = dice.pick(&originals)?;
        Some(Command::Reverse {
            original: original.id,
            postings: original.postings,
            is_reversal: false,
            reason: remark(dice),
        })
    }

    fn post(&self, dice: &mut Dice, model: &Model, now: DateTime<Utc>) -> Option<Command> {
        let count = match dice.below(100) {
            0..75 => 1,
            75..97 => 2 + dice.below(3),
            _ => 12,
        };
        let mut postings = Vec::new();
        for _ in 0..count {
            postings.extend(self.posting(dice, model, i128::from(count)));
        }
        if postings.is_empty() {
            return None;
        }
        let mut transaction = self.transaction(dice, postings, Code::TRANSFER);
        transaction.effective_at = match dice.below(100) {
            0..60 => None,
            60..70 => {
                let open = model.closed_through.map(|date| date + Days::new(1));
                open.map(|date| date.and_time(NaiveTime::MIN).and_utc())
            }
            70..80 => Some(now + Duration::nanoseconds(86_400_000_000_900)),
            80..85 => Some(now - Duration::days(i64::try_from(dice.below(4)).unwrap())),
            _ => Some(now),
        };
        Some(Command::Post(transaction))
    }

    /// A posting that the state allows even `times` times.
    fn posting(&self, dice: &mut Dice, model: &Model, times: i128) -> Option<Posting> {
        let usable: Vec<&Address> = model
            .accounts
            .iter()
            .filter(|(_, a)| a.usable())
            .map(|(a, _)| a)
            .collect();
        for _ in 0..8 {
            let (debit, credit) = (dice.pick(&usable)?, dice.pick(&usable)?);
            let (debited, credited) = (&model.accounts[debit], &model.accounts[credit]);
            if debit == credit || debited.asset != credited.asset {
                continue;
            }
            let mut limit = MAX - debited.debits.max(credited.credits);
            if debited.side == NormalSide::Credit && !debited.may_go_negative {
                limit = limit.min(model.available(debit));
            }
            if credited.side == NormalSide::Debit && !credited.may_go_negative {
                limit = limit.min(model.available(credit));
            }
            if limit / times > 0 {
                return Some(Posting {
                    debit: debit.clone(),
                    credit: credit.clone(),
                    amount: amount(dice, limit / times),
                    asset: debited.asset,
                });
            }
        }
        None
    }

    fn transaction(&self, dice: &mut Dice, postings: Vec<Posting>, code: Code) -> NewTransaction {
        let code = if dice.percent(50) {
            code
        } else {
            Code::parse("reward").expect("a code")
        };
        let metadata = remark(dice).map(|value| ("note é".to_owned(), value));
        NewTransaction {
            code,
            description: remark(dice),
            effective_at: None,
            metadata: metadata.into_iter().collect(),
            postings,
            reference: reference(dice),
        }
    }
}

fn void_unknown() -> Command {
    Command::VoidHold {
        hold: Uuid::nil(),
        reason: None,
    }
}
