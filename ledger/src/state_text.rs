//! The state of a book as text, and its hash. A snapshot is this very text, so that an auditor can read it, and hash it
//! with `sha256sum`.
//!
//! One line per account, sorted by address: `address|asset|debits|credits|held|flags`; one per open hold, sorted by
//! id: `id|account|amount|expires_at`; last `closed_through|date`. Amounts are decimals at the asset's scale; flags are
//! the normal side and what applies of `may_go_negative`, `frozen`, `closed`, joined by commas; what is absent is empty.

use crate::account::{Account, Flags, NormalSide};
use crate::address::Address;
use crate::amount::Amount;
use crate::asset::Asset;
use crate::book::{Book, Hold};
use crate::timestamp;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use uuid::Uuid;

/// A text that describes no book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the state text: {problem}")]
pub struct InvalidStateText {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl Book {
    /// SHA-256 of the state text, in hexadecimal.
    pub fn state_hash(&self) -> String {
        let mut hash = Sha256::new();
        self.each_state_line(|line| hash.update(line.as_bytes()));
        hex::encode(hash.finalize())
    }

    /// The state text.
    pub fn state_text(&self) -> String {
        let mut text = String::new();
        self.each_state_line(|line| text.push_str(line));
        text
    }

    /// The hash of a state text.
    pub fn hash_of_text(text: &str) -> String {
        hex::encode(Sha256::digest(text.as_bytes()))
    }

    /// Reads a state text. `sequence` is the number of events in the book's stream up to that state. A text that no
    /// events could have led to is refused: one whose debits are not its credits, or whose holds are not what is held.
    pub fn from_state_text(text: &str, sequence: u64) -> Result<Book, InvalidStateText> {
        let mut parts = Parts::default();
        for (index, line) in text.lines().enumerate() {
            parts.read(line).map_err(|problem| InvalidStateText {
                line: index + 1,
                problem,
            })?;
        }
        let book = Book::from_parts(parts.accounts, parts.holds, parts.closed_through, sequence);
        // Whatever was spelled otherwise, doubled or left out shows here.
        if book.state_text() != text {
            return Err(InvalidStateText {
                line: text.lines().count(),
                problem: "the text is not in canonical form or not complete".to_owned(),
            });
        }
        match book.check_sums() {
            Ok(()) => Ok(book),
            Err(problem) => Err(InvalidStateText {
                line: text.lines().count(),
                problem,
            }),
        }
    }

    fn check_sums(&self) -> Result<(), String> {
        for (asset, totals) in self.totals() {
            if totals.debits != totals.credits {
                return Err(format!("the debits and credits of all accounts of {asset} differ"));
            }
        }
        let mut held: HashMap<&Address, i128> = HashMap::new();
        for hold in self.holds().values() {
            *held.entry(&hold.account).or_default() += hold.amount.minor();
        }
        for (address, account) in self.accounts() {
            if held.get(address).copied().unwrap_or_default() != account.held.minor() {
                return Err(format!("what {address} holds is not the sum of its open holds"));
            }
        }
        Ok(())
    }

    fn each_state_line(&self, mut each: impl FnMut(&str)) {
        let mut line = String::new();
        for (address, account) in self.accounts() {
            line.clear();
            let amount = |amount: Amount| amount.to_text(account.asset);
            let (debits, credits, held) = (amount(account.debits), amount(account.credits), amount(account.held));
            let (asset, flags) = (account.asset, flags_text(account));
            // Writing to a string cannot fail.
            let _ = writeln!(line, "{address}|{asset}|{debits}|{credits}|{held}|{flags}");
            each(&line);
        }
        for (id, hold) in self.holds() {
            line.clear();
            let amount = match self.account(&hold.account) {
                Some(account) => hold.amount.to_text(account.asset),
                None => hold.amount.minor().to_string(),
            };
            let expires_at = hold.expires_at.as_ref().map(timestamp::to_text).unwrap_or_default();
            let _ = writeln!(line, "{id}|{}|{amount}|{expires_at}", hold.account);
            each(&line);
        }
        line.clear();
        let date = self.closed_through().map(|date| date.to_string()).unwrap_or_default();
        let _ = writeln!(line, "closed_through|{date}");
        each(&line);
    }
}

#[derive(Default)]
struct Parts {
    accounts: HashMap<Address, Account>,
    holds: BTreeMap<Uuid, Hold>,
    closed_through: Option<chrono::NaiveDate>,
}

impl Parts {
    fn read(&mut self, line: &str) -> Result<(), String> {
        let fields: Vec<&str> = line.split('|').collect();
        match fields[..] {
            [address, asset, debits, credits, held, flags] => {
                let address = Address::stored(address).map_err(|e| e.to_string())?;
                let asset = Asset::parse(asset).map_err(|e| e.to_string())?;
                let amount = |text| match Amount::parse(text, asset) {
                    Ok(amount) if amount >= Amount::ZERO => Ok(amount),
                    Ok(_) => Err(format!("{text} is less than zero")),
                    Err(error) => Err(error.to_string()),
                };
                let (normal_side, flags) = read_flags(flags)?;
                let account = Account {
                    asset,
                    normal_side,
                    flags,
                    debits: amount(debits)?,
                    credits: amount(credits)?,
                    held: amount(held)?,
                };
                self.accounts.insert(address, account);
            }
            [id, address, amount, expires_at] => {
                let id: Uuid = id.parse().map_err(|_| format!("{id:?} is not an id"))?;
                let account = Address::stored(address).map_err(|e| e.to_string())?;
                let asset = self.accounts.get(&account).map(|a| a.asset);
                let asset = asset.ok_or_else(|| format!("a hold on the unknown account {account}"))?;
                let expires_at = match expires_at {
                    "" => None,
                    text => Some(text.parse().map_err(|_| format!("{text:?} is not a time"))?),
                };
                let amount = Amount::parse(amount, asset).map_err(|e| e.to_string())?;
                if !amount.is_positive() {
                    return Err("a hold of nothing".to_owned());
                }
                let hold = Hold {
                    account,
                    amount,
                    expires_at,
                };
                self.holds.insert(id, hold);
            }
            ["closed_through", ""] => self.closed_through = None,
            ["closed_through", date] => {
                self.closed_through = Some(date.parse().map_err(|_| format!("{date:?} is not a date"))?);
            }
            _ => return Err("neither an account, a hold nor the closing date".to_owned()),
        }
        Ok(())
    }
}

fn flags_text(account: &Account) -> String {
    let mut text = match account.normal_side {
        NormalSide::Debit => "debit".to_owned(),
        NormalSide::Credit => "credit".to_owned(),
    };
    let Flags {
        may_go_negative,
        frozen,
        closed,
    } = account.flags;
    for (set, name) in [
        (may_go_negative, "may_go_negative"),
        (frozen, "frozen"),
        (closed, "closed"),
    ] {
        if set {
            text.push(',');
            text.push_str(name);
        }
    }
    text
}

fn read_flags(text: &str) -> Result<(NormalSide, Flags), String> {
    let mut names = text.split(',');
    let normal_side = match names.next() {
        Some("debit") => NormalSide::Debit,
        Some("credit") => NormalSide::Credit,
        _ => return Err(format!("{text:?} does not start with a normal side")),
    };
    let mut flags = Flags::default();
    for name in names {
        match name {
            "may_go_negative" => flags.may_go_negative = true,
            "frozen" => flags.frozen = true,
            "closed" => flags.closed = true,
            _ => return Err(format!("unknown flag {name:?}")),
        }
    }
    Ok((normal_side, flags))
}

#[cfg(test)]
mod tests;
