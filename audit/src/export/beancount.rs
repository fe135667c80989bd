//! The journal of beancount.
//!
//! Names are mapped by [`super::names`]. The date is the day on which a transaction takes effect; accounts are opened on
//! the first day that the ledger knows, because effective dates may lie before the day on which an account was opened
//! here. Debits are positive.

use super::entry::{Entry, JournalWriter};
use super::names;
use crate::error::AuditError;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use viral_ledger::Address;
use viral_ledger::event::AccountOpened;

/// The ledger takes nothing that is effective before this day.
const FIRST_DAY: &str = "1900-01-01";

pub(super) struct Beancount<W> {
    out: W,
    /// The root of a name depends on the account's normal side, which only its opening tells.
    names: HashMap<Address, String>,
}

impl<W: Write> Beancount<W> {
    pub(super) fn new(mut out: W) -> io::Result<Beancount<W>> {
        writeln!(
            out,
            "; Exported by viral export journal --format beancount. Debits are positive.\n"
        )?;
        Ok(Beancount {
            out,
            names: HashMap::new(),
        })
    }

    fn name(&self, entry: &Entry<'_>, address: &Address) -> Result<&str, AuditError> {
        let name = self.names.get(address).map(String::as_str);
        name.ok_or_else(|| AuditError::broken(entry.event.position, format!("unknown account {address}")))
    }

    fn text_of(&self, entry: &Entry<'_>) -> Result<String, AuditError> {
        let transaction = entry.transaction;
        let mut text = format!("{} * {}\n", entry.effective_date(), quoted(entry.description()));
        let mut field = |name: &str, value: &str| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "  {name}: {value}");
        };
        field("id", &quoted(&entry.event.event_id.to_string()));
        field("position", &entry.event.position.to_string());
        field("posted", &entry.posting_date());
        field("code", &quoted(transaction.code.as_str()));
        if let Some(actor) = entry.actor {
            field("user", &quoted(actor));
        }
        if let Some(reference) = &transaction.reference {
            field("reference-type", &quoted(&reference.kind));
            field("reference-id", &quoted(&reference.id));
        }
        if let Some(original) = transaction.reverses {
            field("reverses", &quoted(&original.to_string()));
        }
        if let Some(hold) = transaction.captures {
            field("captures", &quoted(&hold.to_string()));
        }
        for (name, value) in entry.people() {
            field(&name.replace('_', "-"), &quoted(&value));
        }
        for posting in &transaction.postings {
            let (amount, asset) = (posting.amount.to_text(posting.asset), posting.asset);
            let _ = writeln!(text, "  {}  {amount} {asset}", self.name(entry, &posting.debit)?);
            let _ = writeln!(text, "  {}  -{amount} {asset}", self.name(entry, &posting.credit)?);
        }
        text.push('\n');
        Ok(text)
    }
}

impl<W: Write> JournalWriter for Beancount<W> {
    fn account(&mut self, opened: &AccountOpened) -> io::Result<()> {
        let name = names::to_beancount(&opened.account, opened.normal_side);
        writeln!(self.out, "{FIRST_DAY} open {name} {}\n", opened.asset)?;
        self.names.insert(opened.account.clone(), name);
        Ok(())
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), AuditError> {
        let text = self.text_of(entry)?;
        self.out.write_all(text.as_bytes()).map_err(AuditError::Output)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A string literal. The ledger takes no control characters; one that is there all the same becomes a space.
fn quoted(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            c if c.is_control() => literal.push(' '),
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}
