//! The ledger once more, as plainly as it can be written: maps of integers, sums made anew whenever they are needed, and
//! every rule asked of every command. It shares the types of commands with the ledger, and none of its logic.

use chrono::{DateTime, Datelike, NaiveDate, Timelike, Utc};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use viral_ledger::{Address, Asset, Command, NewTransaction, NormalSide, Posting, Reference};

pub(crate) const MAX: i128 = 1_000_000_000_000_000_000_000_000;

/// The codes of all refusals, in the order of their precedence.
pub(crate) const REFUSALS: [&str; 26] = [
    "empty_transaction",
    "too_many_postings",
    "reserved_code",
    "invalid_text",
    "self_transfer",
    "amount_not_positive",
    "effective_out_of_range",
    "reversal_of_reversal",
    "unknown_hold",
    "hold_expired",
    "hold_not_expired",
    "expiry_in_past",
    "unknown_account",
    "account_exists",
    "asset_mismatch",
    "account_closed",
    "account_frozen",
    "account_not_frozen",
    "account_not_empty",
    "period_closed",
    "period_not_forward",
    "period_not_over",
    "capture_from_other_account",
    "capture_exceeds_hold",
    "overflow",
    "insufficient_funds",
];

/// Those that only decisions know.
pub(crate) const RULES_OF_INPUT: [&str; 6] = [
    "empty_transaction",
    "too_many_postings",
    "invalid_text",
    "self_transfer",
    "effective_out_of_range",
    "reversal_of_reversal",
];

#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) asset: Asset,
    pub(crate) side: NormalSide,
    pub(crate) may_go_negative: bool,
    pub(crate) frozen: bool,
    pub(crate) closed: bool,
    pub(crate) debits: i128,
    pub(crate) credits: i128,
}

#[derive(Clone)]
pub(crate) struct Hold {
    pub(crate) account: Address,
    pub(crate) amount: i128,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

#[derive(Clone)]
pub(crate) struct Posted {
    pub(crate) id: Uuid,
    pub(crate) postings: Vec<Posting>,
    pub(crate) is_reversal: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<Address, Account>,
    /// The open ones.
    pub(crate) holds: BTreeMap<Uuid, Hold>,
    /// The ids of those that were captured, voided or have expired.
    pub(crate) resolved: Vec<Uuid>,
    pub(crate) posted: Vec<Posted>,
    pub(crate) closed_through: Option<NaiveDate>,
}

impl Account {
    pub(crate) fn balance(&self) -> i128 {
        match self.side {
            NormalSide::Debit => self.debits - self.credits,
            NormalSide::Credit => self.credits - self.debits,
        }
    }

    pub(crate) fn usable(&self) -> bool {
        !self.frozen && !self.closed
    }
}

pub(crate) type Wrong = BTreeSet<&'static str>;

impl Model {
    pub(crate) fn held(&self, address: &Address) -> i128 {
        let of_account = self.holds.values().filter(|hold| hold.account == *address);
        of_account.map(|hold| hold.amount).sum()
    }

    pub(crate) fn available(&self, address: &Address) -> i128 {
        self.accounts.get(address).map_or(0, Account::balance) - self.held(address)
    }

    /// Everything that is wrong with a command.
    pub(crate) fn wrong(&self, now: DateTime<Utc>, command: &Command) -> Wrong {
        let now = micros(now);
        let mut wrong = Wrong::new();
        let mut say = |bad: bool, code| {
            if bad {
                wrong.insert(code);
            }
        };
        match command {
            Command::OpenAccount { account, .. } => say(self.accounts.contains_key(account), "account_exists"),
            Command::FreezeAccount { account, reason } => {
                say(!text(reason, 1_000), "invalid_text");
                self.account_wrong(account, true, &mut wrong);
            }
            Command::UnfreezeAccount { account, reason } => {
                say(!text(reason, 1_000), "invalid_text");
                say(
                    self.accounts.get(account).is_some_and(|a| !a.frozen),
                    "account_not_frozen",
                );
                self.account_wrong(account, false, &mut wrong);
            }
            Command::CloseAccount { account, reason } => {
                say(!text(reason, 1_000), "invalid_text");
                let empty = |a: &Account| a.balance() == 0 && self.held(account) == 0;
                say(
                    self.accounts.get(account).is_some_and(|a| !empty(a)),
                    "account_not_empty",
                );
                self.account_wrong(account, true, &mut wrong);
            }
            Command::Post(new) => {
                wrong.extend(words_wrong(new));
                let effective_at = micros(new.effective_at.unwrap_or(now));
                wrong.extend(self.postings_wrong(&new.postings, effective_at, None));
            }
            Command::Reverse {
                postings,
                is_reversal,
                reason,
                ..
            } => {
                say(!text(reason, 1_000), "invalid_text");
                say(*is_reversal, "reversal_of_reversal");
                wrong.extend(self.postings_wrong(&mirror(postings), now, None));
            }
            Command::PlaceHold { .. } => wrong.extend(self.hold_wrong(now, command)),
            Command::Capture { hold, transaction } => {
                let captured = self.holds.get(hold);
                match captured {
                    None => say(true, "unknown_hold"),
                    Some(hold) => say(hold.expires_at.is_some_and(|at| now >= at), "hold_expired"),
                }
                wrong.extend(words_wrong(transaction));
                wrong.extend(self.postings_wrong(&transaction.postings, now, captured));
            }
            Command::VoidHold { hold, reason } => {
                say(!text(reason, 1_000), "invalid_text");
                say(!self.holds.contains_key(hold), "unknown_hold");
            }
            Command::ExpireHold { hold } => match self.holds.get(hold) {
                None => say(true, "unknown_hold"),
                Some(hold) => say(hold.expires_at.is_none_or(|at| now < at), "hold_not_expired"),
            },
            Command::ClosePeriod { through } => {
                say(through.year() < 1900, "invalid_text");
                say(self.closed_through.is_some_and(|c| *through <= c), "period_not_forward");
                say(*through >= now.date_naive(), "period_not_over");
            }
            Command::TakeSnapshot { .. } => {}
        }
        wrong
    }

    fn account_wrong(&self, address: &Address, frozen_is_wrong: bool, wrong: &mut Wrong) {
        match self.accounts.get(address) {
            None => {
                wrong.insert("unknown_account");
            }
            Some(account) => {
                if account.closed {
                    wrong.insert("account_closed");
                }
                if account.frozen && frozen_is_wrong {
                    wrong.insert("account_frozen");
                }
            }
        }
    }

    fn hold_wrong(&self, now: DateTime<Utc>, command: &Command) -> Wrong {
        let mut wrong = Wrong::new();
        let Command::PlaceHold {
            account: address,
            amount,
            asset,
            expires_at,
            reference,
        } = command
        else {
            return wrong;
        };
        let amount = amount.minor();
        let too_late = |at: DateTime<Utc>| at.year() > 9999;
        if !reference_fits(reference) || expires_at.is_some_and(too_late) {
            wrong.insert("invalid_text");
        }
        if amount <= 0 {
            wrong.insert("amount_not_positive");
        }
        if expires_at.is_some_and(|at| micros(at) <= now) {
            wrong.insert("expiry_in_past");
        }
        self.account_wrong(address, true, &mut wrong);
        if let Some(account) = self.accounts.get(address) {
            if account.asset != *asset {
                wrong.insert("asset_mismatch");
            }
            if self.held(address) + amount > MAX {
                wrong.insert("overflow");
            }
            if !account.may_go_negative && amount > self.available(address) {
                wrong.insert("insufficient_funds");
            }
        }
        wrong
    }

    fn postings_wrong(&self, postings: &[Posting], effective_at: DateTime<Utc>, captured: Option<&Hold>) -> Wrong {
        let mut wrong = Wrong::new();
        if postings.is_empty() {
            wrong.insert("empty_transaction");
        }
        if postings.len() > 200 {
            wrong.insert("too_many_postings");
        }
        if effective_at.year() < 1900 || effective_at.year() > 9999 {
            wrong.insert("effective_out_of_range");
        }
        if self.closed_through.is_some_and(|c| effective_at.date_naive() <= c) {
            wrong.insert("period_closed");
        }
        let mut after: BTreeMap<&Address, Account> = BTreeMap::new();
        for posting in postings {
            if posting.debit == posting.credit {
                wrong.insert("self_transfer");
            }
            if posting.amount.minor() <= 0 {
                wrong.insert("amount_not_positive");
            }
            for (address, debit) in [(&posting.debit, true), (&posting.credit, false)] {
                self.account_wrong(address, true, &mut wrong);
                let Some(before) = self.accounts.get(address) else {
                    continue;
                };
                if before.asset != posting.asset {
                    wrong.insert("asset_mismatch");
                }
                let account = after.entry(address).or_insert_with(|| before.clone());
                match debit {
                    true => account.debits += posting.amount.minor(),
                    false => account.credits += posting.amount.minor(),
                }
            }
        }
        if let Some(hold) = captured {
            let side = self.accounts.get(&hold.account).map(|a| a.side);
            let gives = |p: &Posting| match side {
                Some(NormalSide::Debit) => p.credit == hold.account,
                _ => p.debit == hold.account,
            };
            if !postings.iter().all(gives) {
                wrong.insert("capture_from_other_account");
            }
            if postings.iter().map(|p| p.amount.minor()).sum::<i128>() > hold.amount {
                wrong.insert("capture_exceeds_hold");
            }
        }
        for (address, after) in after {
            if after.debits.abs() > MAX || after.credits.abs() > MAX {
                wrong.insert("overflow");
            }
            let before = self.accounts.get(address).map_or(0, Account::balance);
            let of_hold = captured.filter(|hold| hold.account == *address).map_or(0, |h| h.amount);
            let held = self.held(address) - of_hold;
            if !after.may_go_negative && after.balance() < before && after.balance() - held < 0 {
                wrong.insert("insufficient_funds");
            }
        }
        wrong
    }

    /// Carries out a command that has nothing wrong.
    pub(crate) fn apply(&mut self, id: Uuid, command: &Command) {
        match command {
            Command::OpenAccount {
                account,
                asset,
                normal_side,
                may_go_negative,
            } => {
                let opened = Account {
                    asset: *asset,
                    side: *normal_side,
                    may_go_negative: *may_go_negative,
                    frozen: false,
                    closed: false,
                    debits: 0,
                    credits: 0,
                };
                self.accounts.insert(account.clone(), opened);
            }
            Command::FreezeAccount { account, .. } => self.at(account).frozen = true,
            Command::UnfreezeAccount { account, .. } => self.at(account).frozen = false,
            Command::CloseAccount { account, .. } => self.at(account).closed = true,
            Command::Post(new) => self.post(id, &new.postings, false),
            Command::Reverse { postings, .. } => self.post(id, &mirror(postings), true),
            Command::PlaceHold {
                account,
                amount,
                expires_at,
                ..
            } => {
                let hold = Hold {
                    account: account.clone(),
                    amount: amount.minor(),
                    expires_at: expires_at.map(micros),
                };
                self.holds.insert(id, hold);
            }
            Command::Capture { hold, transaction } => {
                self.resolve(*hold);
                self.post(id, &transaction.postings, false);
            }
            Command::VoidHold { hold, .. } | Command::ExpireHold { hold } => self.resolve(*hold),
            Command::ClosePeriod { through } => self.closed_through = Some(*through),
            Command::TakeSnapshot { .. } => {}
        }
    }

    fn at(&mut self, address: &Address) -> &mut Account {
        self.accounts.get_mut(address).expect("the account was checked")
    }

    fn post(&mut self, id: Uuid, postings: &[Posting], is_reversal: bool) {
        for posting in postings {
            self.at(&posting.debit).debits += posting.amount.minor();
            self.at(&posting.credit).credits += posting.amount.minor();
        }
        self.posted.push(Posted {
            id,
            postings: postings.to_vec(),
            is_reversal,
        });
    }

    fn resolve(&mut self, hold: Uuid) {
        self.holds.remove(&hold).expect("the hold was checked");
        self.resolved.push(hold);
    }

    /// The state text as the design describes it.
    pub(crate) fn state_text(&self) -> String {
        let mut lines = Vec::new();
        for (address, account) in &self.accounts {
            let amount = |minor| decimal(minor, account.asset.scale());
            let mut flags = vec![match account.side {
                NormalSide::Debit => "debit",
                NormalSide::Credit => "credit",
            }];
            flags.extend(account.may_go_negative.then_some("may_go_negative"));
            flags.extend(account.frozen.then_some("frozen"));
            flags.extend(account.closed.then_some("closed"));
            lines.push(format!(
                "{address}|{}|{}|{}|{}|{}\n",
                account.asset.code(),
                amount(account.debits),
                amount(account.credits),
                amount(self.held(address)),
                flags.join(",")
            ));
        }
        for (id, hold) in &self.holds {
            let scale = self.accounts[&hold.account].asset.scale();
            let until = hold
                .expires_at
                .map(|at| at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string());
            lines.push(format!(
                "{id}|{}|{}|{}\n",
                hold.account,
                decimal(hold.amount, scale),
                until.unwrap_or_default()
            ));
        }
        let date = self.closed_through.map(|date| date.format("%Y-%m-%d").to_string());
        lines.push(format!("closed_through|{}\n", date.unwrap_or_default()));
        lines.concat()
    }
}

pub(crate) fn mirror(postings: &[Posting]) -> Vec<Posting> {
    let mut mirrored = postings.to_vec();
    for posting in &mut mirrored {
        std::mem::swap(&mut posting.debit, &mut posting.credit);
    }
    mirrored
}

fn words_wrong(new: &NewTransaction) -> Wrong {
    let mut wrong = Wrong::new();
    if new.code.as_str() == "reversal" {
        wrong.insert("reserved_code");
    }
    let fields = |(key, value): (&String, &String)| fits(key, 64) && fits(value, 1_000);
    if !text(&new.description, 1_000)
        || !reference_fits(&new.reference)
        || new.metadata.len() > 64
        || !new.metadata.iter().all(fields)
    {
        wrong.insert("invalid_text");
    }
    wrong
}

fn reference_fits(reference: &Option<Reference>) -> bool {
    let fits_both = |r: &Reference| fits(&r.kind, 64) && fits(&r.id, 200);
    reference.as_ref().is_none_or(fits_both)
}

fn text(text: &Option<String>, max: usize) -> bool {
    text.as_ref().is_none_or(|text| fits(text, max))
}

fn fits(text: &str, max: usize) -> bool {
    let control = |c: char| u32::from(c) < 0x20 || (0x7f..0xa0).contains(&u32::from(c));
    text.chars().count() <= max && !text.chars().any(control)
}

/// The time in whole microseconds.
pub(crate) fn micros(time: DateTime<Utc>) -> DateTime<Utc> {
    time.with_nanosecond(time.nanosecond() / 1_000 * 1_000)
        .expect("a valid time")
}

/// Minor units as a decimal, by moving digits about.
pub(crate) fn decimal(minor: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let mut digits = format!("{:0>width$}", minor.unsigned_abs(), width = scale + 1);
    if scale > 0 {
        digits.insert(digits.len() - scale, '.');
    }
    if minor < 0 {
        digits.insert(0, '-');
    }
    digits
}

#[test]
fn the_precedence_is_that_of_the_source() {
    let source = include_str!("../../src/refusal.rs");
    let (_, codes) = source.split_once("pub fn code(").expect("Refusal::code");
    let codes: Vec<&str> = codes.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(codes, REFUSALS);
}
