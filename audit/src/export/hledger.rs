//! The journal of hledger.
//!
//! Account names are our addresses. The date is the day on which the transaction takes effect, the code in brackets is
//! its position in the log; everything else about it is in tags below the first line. Debits are positive, so hledger
//! shows credit accounts with a minus sign.
//!
//! In a description `;` would begin a comment: it becomes `,`. In the value of a tag `,` would end it: there `,` is
//! written `%2C`, and `%` itself `%25`.

use super::entry::{Entry, JournalWriter};
use crate::error::AuditError;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use viral_ledger::Asset;
use viral_ledger::event::AccountOpened;

pub(super) struct Hledger<W> {
    out: W,
    declared: BTreeSet<Asset>,
}

impl<W: Write> Hledger<W> {
    pub(super) fn new(mut out: W) -> io::Result<Hledger<W>> {
        writeln!(
            out,
            "; Exported by viral export journal --format hledger. Debits are positive."
        )?;
        writeln!(out, "decimal-mark .\n")?;
        Ok(Hledger {
            out,
            declared: BTreeSet::new(),
        })
    }
}

impl<W: Write> JournalWriter for Hledger<W> {
    fn account(&mut self, opened: &AccountOpened) -> io::Result<()> {
        // No account is opened before its asset was declared, so no amount is written before it either.
        if self.declared.insert(opened.asset) {
            writeln!(self.out, "commodity {}\n", sample(opened.asset))?;
        }
        writeln!(self.out, "account {}\n", opened.account)
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), AuditError> {
        let text = text_of(entry);
        self.out.write_all(text.as_bytes()).map_err(AuditError::Output)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An amount that shows hledger how many digits the asset has; the decimal mark must be there even without any.
fn sample(asset: Asset) -> String {
    let digits = "0".repeat(usize::from(asset.scale()));
    format!("1000.{digits} {asset}")
}

fn text_of(entry: &Entry<'_>) -> String {
    let transaction = entry.transaction;
    let (date, position) = (entry.effective_date(), entry.event.position);
    let mut text = format!("{date} ({position}) {}", description(entry.description()));
    text.truncate(text.trim_end().len());
    text.push('\n');
    let mut tag = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    ; {name}:{}", tag_value(value));
    };
    tag("id", &entry.event.event_id.to_string());
    tag("posted", &entry.posting_date());
    tag("code", transaction.code.as_str());
    if let Some(actor) = entry.actor {
        tag("user", actor);
    }
    if let Some(reference) = &transaction.reference {
        tag("reference_type", &reference.kind);
        tag("reference_id", &reference.id);
    }
    if let Some(original) = transaction.reverses {
        tag("reverses", &original.to_string());
    }
    if let Some(hold) = transaction.captures {
        tag("captures", &hold.to_string());
    }
    for (name, value) in entry.people() {
        tag(name, &value);
    }
    for posting in &transaction.postings {
        let (amount, asset) = (posting.amount.to_text(posting.asset), posting.asset);
        let _ = writeln!(text, "    {}  {amount} {asset}", posting.debit);
        let _ = writeln!(text, "    {}  -{amount} {asset}", posting.credit);
    }
    text.push('\n');
    text
}

/// A description on one line, without the beginning of a comment.
fn description(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            ';' => ',',
            c if c.is_control() => ' ',
            c => c,
        })
        .collect()
}

fn tag_value(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            ',' => value.push_str("%2C"),
            '%' => value.push_str("%25"),
            c if c.is_control() => value.push(' '),
            c => value.push(c),
        }
    }
    value
}
