//! What a journal format is given.

use super::approvals::Trail;
use crate::error::AuditError;
use std::io;
use viral_ledger::Transaction;
use viral_ledger::event::AccountOpened;
use viral_store::StoredEvent;

/// A transaction with what is known around it.
pub(super) struct Entry<'a> {
    pub(super) event: &'a StoredEvent,
    /// Who asked for it.
    pub(super) actor: Option<&'a str>,
    /// Who agreed to it.
    pub(super) approvals: &'a Trail,
    pub(super) transaction: &'a Transaction,
}

impl Entry<'_> {
    /// The day (UTC) on which it was recorded, which an auditor calls the posting date.
    pub(super) fn posting_date(&self) -> String {
        self.event.recorded_at.date_naive().to_string()
    }

    /// The day (UTC) on which it takes effect.
    pub(super) fn effective_date(&self) -> String {
        self.transaction.effective_at.date_naive().to_string()
    }

    /// Who entered it and who agreed, by the names that they have in journals; what is not there is left out.
    pub(super) fn people(&self) -> impl Iterator<Item = (&'static str, String)> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        [
            ("entered_by", owned(self.actor)),
            ("approved_by", owned(self.approvals.approved_by())),
            ("approved_at", owned(self.approvals.approved_at())),
            ("approvals", self.approvals.text()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    pub(super) fn description(&self) -> &str {
        self.transaction.description.as_deref().unwrap_or_default()
    }
}

/// A journal that is being written, in the order of the log.
pub(super) trait JournalWriter {
    /// An account exists from here on.
    fn account(&mut self, opened: &AccountOpened) -> io::Result<()>;

    /// Money moved.
    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), AuditError>;

    /// Everything was written.
    fn flush(&mut self) -> io::Result<()>;
}
