//! The log, read from its beginning: every rule at every event, and whose units are there.

use super::campaigns::Campaigns;
use super::client::Done;
use super::ledger::Ledger;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;
use viral_store::{EventStore as _, Position, PostgresStore, StoredEvent};

/// What the log says so far.
#[derive(Debug, Default)]
pub struct Book {
    /// Campaigns, assignments, payouts.
    pub campaigns: Campaigns,
    /// The money.
    pub ledger: Ledger,
    /// The last position that was read.
    pub position: Position,
    /// Units by the position of their last event, with who wrote them.
    pub units: BTreeMap<u64, String>,
    unit: Option<Uuid>,
}

impl Book {
    /// Reads on to the end of the log.
    pub async fn read_on(&mut self, store: &PostgresStore) {
        let events = store.read_after(self.position, usize::MAX).await.unwrap();
        for event in &events {
            self.apply(event);
        }
    }

    fn apply(&mut self, event: &StoredEvent) {
        assert_eq!(event.position, self.position.next());
        let data: Value = serde_json::from_str(&event.payload).unwrap();
        match event.event_type.starts_with("book.") {
            true => self.ledger.apply(&event.event_id.to_string(), &event.event_type, &data),
            false => self
                .campaigns
                .apply(&event.stream.aggregate_id, &event.event_type, &data),
        }
        let metadata = event.parse_metadata().unwrap();
        if self.unit == Some(metadata.unit_id) {
            self.units.remove(&self.position.0);
        }
        self.position = event.position;
        self.unit = Some(metadata.unit_id);
        let actor = metadata.actor.unwrap_or_default().into_owned();
        self.units.insert(self.position.0, actor);
    }

    /// What was acknowledged is in the log, each at a position of its own; and what came into it after a position was
    /// acknowledged, but for what the platform does by itself.
    pub fn check_acknowledged<'a>(&self, done: impl Iterator<Item = &'a Done>, after: Position) {
        let mut acknowledged = BTreeSet::new();
        for done in done.filter(|done| done.wrote()) {
            let position = done.position().unwrap_or_else(|| panic!("no position: {done:?}"));
            assert!(self.units.contains_key(&position), "not in the log: {done:?}");
            assert!(acknowledged.insert(position), "acknowledged for two requests: {done:?}");
        }
        let by_people = self
            .units
            .range(after.0 + 1..)
            .filter(|(_, actor)| !actor.starts_with("system:"));
        let by_people: Vec<_> = by_people
            .filter(|(position, _)| !acknowledged.contains(position))
            .collect();
        assert!(by_people.is_empty(), "in the log, and nobody was told: {by_people:?}");
    }

    /// Every balance of the API's trial balance is the one of the log, and both sides are equal.
    pub fn check_balances(&self, pages: &[Value]) {
        let mut found = 0;
        for account in pages.iter().flat_map(|page| page["accounts"].as_array().unwrap()) {
            let text = |name: &str| account[name].as_str().unwrap();
            let digits = |name: &str| text(name).replace('.', "").parse::<i128>().unwrap();
            let key = (text("address").to_owned(), text("asset").to_owned());
            let ours = self.ledger.accounts.get(&key).copied();
            assert_eq!(ours, Some((digits("debits"), digits("credits"))), "{account}");
            found += 1;
        }
        assert_eq!(found, self.ledger.accounts.len(), "an account is missing");
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for ((_, asset), (debits, credits)) in &self.ledger.accounts {
            *sums.entry(asset).or_default() += debits - credits;
        }
        assert!(sums.values().all(|sum| *sum == 0), "{sums:?}");
        assert!(
            pages.iter().all(|page| page["balanced"] == true),
            "{:?}",
            pages[0]["totals"]
        );
    }

    /// The escrow of each campaign is what its events say, in the ledger too; nothing is in one that is closed.
    pub fn check_escrows(&self) {
        for (id, campaign) in &self.campaigns.campaigns {
            let escrow = format!("campaign:{id}:escrow");
            let held: i128 = campaign.places.values().sum();
            assert_eq!(self.ledger.balance(&escrow), campaign.escrow, "{escrow}");
            assert_eq!(self.ledger.held(&escrow), held, "{escrow}");
        }
    }
}
