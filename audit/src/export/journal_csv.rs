//! The journal as CSV (RFC 4180), in the columns that audit software asks for: two rows for each posting, the debit
//! and the credit. The entry number is the position in the log, so numbers of other events are missing between them.

use super::entry::{Entry, JournalWriter};
use crate::error::AuditError;
use std::io::{self, Write};
use viral_ledger::event::AccountOpened;

const HEADER: [&str; 18] = [
    "entry_number",
    "posting_date",
    "effective_date",
    "user",
    "account",
    "description",
    "debit",
    "credit",
    "asset",
    "code",
    "transaction_id",
    "reference_type",
    "reference_id",
    "reverses",
    "entered_by",
    "approved_by",
    "approved_at",
    "approvals",
];

pub(super) struct JournalCsv<W: Write> {
    out: csv::Writer<W>,
}

impl<W: Write> JournalCsv<W> {
    pub(super) fn new(out: W) -> io::Result<JournalCsv<W>> {
        let mut out = csv::WriterBuilder::new()
            .terminator(csv::Terminator::CRLF)
            .from_writer(out);
        out.write_record(HEADER)?;
        Ok(JournalCsv { out })
    }

    fn rows(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        let transaction = entry.transaction;
        let (number, id) = (entry.event.position.to_string(), entry.event.event_id.to_string());
        let (posted, effective) = (entry.posting_date(), entry.effective_date());
        let reference = transaction.reference.as_ref();
        let (kind, reference) = reference.map_or(("", ""), |reference| (&reference.kind, &reference.id));
        let reverses = transaction.reverses.map(|id| id.to_string()).unwrap_or_default();
        let approvals = entry.approvals.text().unwrap_or_default();
        for posting in &transaction.postings {
            let amount = posting.amount.to_text(posting.asset);
            for (account, debit, credit) in [(&posting.debit, amount.as_str(), ""), (&posting.credit, "", &amount)] {
                self.out.write_record([
                    &number,
                    &posted,
                    &effective,
                    entry.actor.unwrap_or_default(),
                    account.as_str(),
                    entry.description(),
                    debit,
                    credit,
                    posting.asset.code(),
                    transaction.code.as_str(),
                    &id,
                    kind,
                    reference,
                    &reverses,
                    entry.actor.unwrap_or_default(),
                    entry.approvals.approved_by().unwrap_or_default(),
                    entry.approvals.approved_at().unwrap_or_default(),
                    &approvals,
                ])?;
            }
        }
        Ok(())
    }
}

impl<W: Write> JournalWriter for JournalCsv<W> {
    fn account(&mut self, _: &AccountOpened) -> io::Result<()> {
        Ok(())
    }

    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), AuditError> {
        self.rows(entry).map_err(AuditError::Output)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
