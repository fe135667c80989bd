//! What was asked and answered over a whole run, so that the run can say that it reached everything.

use crate::model::REFUSALS;
use std::collections::BTreeMap;
use viral_ledger::{BookEvent, Command, Refusal};

/// How often each thing happened.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) histories: u64,
    accepted: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, u64>,
    events: BTreeMap<&'static str, u64>,
    checks: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(crate) fn count(&mut self, command: &Command, answer: Result<&BookEvent, &Refusal>) {
        match answer {
            Ok(event) => {
                *self.accepted.entry(name(command)).or_default() += 1;
                *self.events.entry(event.event_type()).or_default() += 1;
            }
            Err(refusal) => *self.refused.entry(refusal.code()).or_default() += 1,
        }
    }

    /// A check that is not made for every command was made.
    pub(crate) fn checked(&mut self, what: &'static str) {
        *self.checks.entry(what).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: Tally) {
        self.histories += other.histories;
        let mut add = |to: fn(&mut Tally) -> &mut BTreeMap<&'static str, u64>, from: BTreeMap<&'static str, u64>| {
            for (key, count) in from {
                *to(self).entry(key).or_default() += count;
            }
        };
        add(|tally| &mut tally.accepted, other.accepted);
        add(|tally| &mut tally.refused, other.refused);
        add(|tally| &mut tally.events, other.events);
        add(|tally| &mut tally.checks, other.checks);
    }

    /// The counts for people.
    pub(crate) fn report(&self) -> String {
        let accepted: u64 = self.accepted.values().sum();
        let refused: u64 = self.refused.values().sum();
        let lines = |title: &str, counts: &BTreeMap<&str, u64>| {
            let counts: Vec<String> = counts.iter().map(|(key, count)| format!("{key} {count}")).collect();
            format!("  {title}: {}\n", counts.join(", "))
        };
        format!(
            "{} histories, {} commands, {accepted} accepted ({:.1} %), {refused} refused\n{}{}{}",
            self.histories,
            accepted + refused,
            100.0 * accepted as f64 / (accepted + refused).max(1) as f64,
            lines("accepted", &self.accepted),
            lines("refused", &self.refused),
            lines("also checked", &self.checks),
        )
    }

    /// Fails if the run did not reach everything.
    pub(crate) fn assert_reached(&self) {
        let accepted: u64 = self.accepted.values().sum();
        let refused: u64 = self.refused.values().sum();
        assert!(accepted >= refused, "less than half of the commands were accepted");
        for code in REFUSALS {
            assert!(self.refused.contains_key(code), "no command was refused as {code}");
        }
        assert_eq!(
            self.accepted.len(),
            12,
            "not every command was accepted: {:?}",
            self.accepted
        );
        assert_eq!(self.events.len(), 10, "not every event was produced: {:?}", self.events);
    }
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::OpenAccount { .. } => "open",
        Command::FreezeAccount { .. } => "freeze",
        Command::UnfreezeAccount { .. } => "unfreeze",
        Command::CloseAccount { .. } => "close",
        Command::Post(_) => "post",
        Command::Reverse { .. } => "reverse",
        Command::PlaceHold { .. } => "hold",
        Command::Capture { .. } => "capture",
        Command::VoidHold { .. } => "void",
        Command::ExpireHold { .. } => "expire",
        Command::ClosePeriod { .. } => "close period",
        Command::TakeSnapshot { .. } => "snapshot",
    }
}
