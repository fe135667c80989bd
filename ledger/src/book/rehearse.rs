//! What the book would say to commands, without changing it.

use super::Book;
use crate::address::Address;
use crate::command::Command;
use crate::refusal::Refusal;
use crate::transaction::Posting;
use chrono::{DateTime, Utc};
use uuid::Uuid;

impl Book {
    /// Whether these commands would be accepted now, one after the other. They are tried on a copy of just the accounts
    /// and holds that they name.
    pub fn rehearse(&self, now: DateTime<Utc>, commands: &[(Uuid, Command)]) -> Result<(), Refusal> {
        let mut book = self.part(commands);
        for (id, command) in commands {
            let event = book.decide(*id, now, command)?;
            // What was just decided on this state applies to it.
            if book.evolve_trusted(now, &event).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// A book of the accounts and holds that commands name.
    fn part(&self, commands: &[(Uuid, Command)]) -> Book {
        let holds = commands.iter().filter_map(|(_, command)| hold(command));
        let holds = holds.filter_map(|id| Some((id, self.holds.get(&id)?.clone())));
        let holds: std::collections::BTreeMap<_, _> = holds.collect();
        let named = commands.iter().flat_map(|(_, command)| accounts(command));
        let addresses = named.chain(holds.values().map(|hold| &hold.account));
        let accounts = addresses.filter_map(|address| Some((address.clone(), self.accounts.get(address)?.clone())));
        let accounts = accounts.collect();
        Book::from_parts(accounts, holds, self.closed_through, self.sequence)
    }
}

fn accounts(command: &Command) -> Vec<&Address> {
    match command {
        Command::OpenAccount { account, .. }
        | Command::FreezeAccount { account, .. }
        | Command::UnfreezeAccount { account, .. }
        | Command::CloseAccount { account, .. }
        | Command::PlaceHold { account, .. } => vec![account],
        Command::Post(transaction) | Command::Capture { transaction, .. } => touched(&transaction.postings),
        Command::Reverse { postings, .. } => touched(postings),
        Command::VoidHold { .. }
        | Command::ExpireHold { .. }
        | Command::ClosePeriod { .. }
        | Command::TakeSnapshot { .. } => Vec::new(),
    }
}

fn touched(postings: &[Posting]) -> Vec<&Address> {
    postings
        .iter()
        .flat_map(|posting| [&posting.debit, &posting.credit])
        .collect()
}

fn hold(command: &Command) -> Option<Uuid> {
    match command {
        Command::Capture { hold, .. } | Command::VoidHold { hold, .. } | Command::ExpireHold { hold } => Some(*hold),
        _ => None,
    }
}
