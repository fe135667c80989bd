//! What the events of campaigns, assignments and payouts amount to, read without the product's code: every rule about
//! places, rewards and payouts is checked at every event.

use super::minor;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A campaign's money and places.
#[derive(Debug, Default, Clone)]
pub struct Campaign {
    /// `published`, `closing`, `closed` and so on.
    pub status: String,
    budget: i128,
    funded: i128,
    /// What is in the escrow.
    pub escrow: i128,
    /// Who holds a place, with the reward.
    pub places: BTreeMap<String, i128>,
    /// Who was paid: assignments.
    pub paid: BTreeSet<String>,
    /// Missions with their numbers of places, and the places that are taken or used up.
    missions: BTreeMap<String, (u64, u64)>,
    mission_and_creator_paid: BTreeSet<(String, String)>,
    earned: BTreeMap<String, i128>,
    taken_out: BTreeMap<String, i128>,
    open_payouts: BTreeMap<String, i128>,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Campaigns {
    /// By id.
    pub campaigns: BTreeMap<String, Campaign>,
    /// Assignments: the last thing that happened to each, and to whom it belongs.
    pub assignments: BTreeMap<String, (String, String)>,
    /// Payouts: the last thing that happened to each.
    pub payouts: BTreeMap<String, String>,
    /// Payouts that a suspicion stops.
    pub held: BTreeMap<String, BTreeSet<String>>,
    /// How often each thing happened.
    pub counts: BTreeMap<String, u64>,
    attempts: BTreeSet<(String, u64)>,
}

impl Campaigns {
    /// Takes in an event of any stream but the book's.
    pub fn apply(&mut self, stream: &str, event_type: &str, data: &Value) {
        *self.counts.entry(event_type.to_owned()).or_default() += 1;
        match event_type.split_once('.') {
            Some(("campaign", what)) => self.campaigns.entry(stream.to_owned()).or_default().apply(what, data),
            Some(("assignment", what)) => self.assignment(stream, what, data),
            Some(("payout", what)) => self.payout(stream, what, data),
            _ => {}
        }
    }

    fn assignment(&mut self, id: &str, what: &str, data: &Value) {
        let entry = self.assignments.entry(id.to_owned()).or_default();
        let creator = [&data["creator"], &data["offer"]["creator"]];
        if let Some(creator) = creator.iter().find_map(|creator| creator.as_str()) {
            entry.1 = creator.to_owned();
        }
        let before = std::mem::replace(&mut entry.0, what.to_owned());
        let overdue = ["invited", "accepted", "rejected"].contains(&before.as_str());
        assert!(
            what != "expired" || overdue,
            "assignment {id} expires when it is {before}"
        );
        assert!(before != "approved", "assignment {id} is {what} after it was approved");
    }

    fn payout(&mut self, id: &str, what: &str, data: &Value) {
        match what {
            "held" => {
                let flag = text(&data["flag"]);
                assert!(self.held.entry(id.to_owned()).or_default().insert(flag), "payout {id}");
                return;
            }
            "released" => {
                let flags = self.held.get_mut(id);
                assert!(
                    flags.is_some_and(|flags| flags.remove(&text(&data["flag"]))),
                    "payout {id}"
                );
                return;
            }
            "submitted" => {
                let attempt = data["attempt"].as_u64().unwrap();
                assert!(
                    self.attempts.insert((id.to_owned(), attempt)),
                    "payout {id} is sent twice"
                );
                assert_eq!(
                    self.payouts.get(id).map(String::as_str),
                    Some("approved"),
                    "payout {id}"
                );
                assert!(
                    self.held.get(id).is_none_or(BTreeSet::is_empty),
                    "payout {id} is sent while held"
                );
            }
            _ => {}
        }
        // An attempt that failed leaves the payout approved.
        let status = if what == "attempt_failed" { "approved" } else { what };
        let before = self.payouts.insert(id.to_owned(), status.to_owned());
        let over = ["settled", "failed", "rejected", "cancelled"];
        assert!(
            !before.is_some_and(|before| over.contains(&before.as_str())),
            "payout {id} is {what} after its end"
        );
    }

    /// Payouts that only wait to be sent.
    pub fn to_be_sent(&self) -> Vec<&String> {
        let free = |id: &&String| self.held.get(*id).is_none_or(BTreeSet::is_empty);
        let approved = self.payouts.iter().filter(|(_, status)| *status == "approved");
        approved.map(|(id, _)| id).filter(free).collect()
    }

    /// How often something happened.
    pub fn count(&self, event_type: &str) -> u64 {
        self.counts.get(event_type).copied().unwrap_or_default()
    }
}

impl Campaign {
    fn apply(&mut self, what: &str, data: &Value) {
        let amount = |name: &str| minor(data[name].as_str().unwrap_or("0"));
        let (mission, assignment, creator) = (
            text(&data["mission"]),
            text(&data["assignment"]),
            text(&data["creator"]),
        );
        match what {
            "created" | "edited" => self.budget = minor(data["brief"]["budget_vcoin"].as_str().unwrap()),
            "mission_added" => {
                self.missions.insert(mission, (data["places"].as_u64().unwrap(), 0));
            }
            "funded" => {
                self.funded += amount("amount_vcoin");
                self.escrow += amount("amount_vcoin");
                assert!(self.funded <= self.budget, "funded beyond the budget: {data}");
            }
            "place_taken" => {
                let places = self.missions.get_mut(&mission).unwrap();
                places.1 += 1;
                assert!(places.1 <= places.0, "a place is sold that is not there: {data}");
                assert!(
                    self.status == "published",
                    "a place is taken in a campaign that is {}",
                    self.status
                );
                assert!(
                    self.places.insert(assignment, amount("reward_vcoin")).is_none(),
                    "{data}"
                );
            }
            "place_freed" => {
                self.missions.get_mut(&mission).unwrap().1 -= 1;
                assert_eq!(self.places.remove(&assignment), Some(amount("reward_vcoin")), "{data}");
            }
            "reward_paid" => {
                let reward = amount("reward_vcoin");
                assert_eq!(self.places.remove(&assignment), Some(reward), "{data}");
                assert_eq!(amount("net_vcoin") + amount("fee_vcoin"), reward, "{data}");
                self.escrow -= reward;
                *self.earned.entry(creator.clone()).or_default() += amount("net_vcoin");
                assert!(self.paid.insert(assignment), "an assignment is paid twice: {data}");
                assert!(
                    self.mission_and_creator_paid.insert((mission, creator.clone())),
                    "a creator is paid twice: {data}"
                );
            }
            "closing" | "closed" => self.escrow -= amount("returned_vcoin"),
            "payout_reserved" => {
                *self.taken_out.entry(creator.clone()).or_default() += amount("amount_vcoin");
                assert!(
                    self.open_payouts
                        .insert(text(&data["payout"]), amount("amount_vcoin"))
                        .is_none()
                );
            }
            "payout_returned" => {
                *self.taken_out.entry(creator.clone()).or_default() -= amount("amount_vcoin");
                assert!(self.open_payouts.remove(&text(&data["payout"])).is_some(), "{data}");
            }
            "payout_settled" => assert!(self.open_payouts.remove(&text(&data["payout"])).is_some(), "{data}"),
            _ => {}
        }
        match what {
            "resumed" => self.status = "published".to_owned(),
            "created" | "published" | "paused" | "closing" | "closed" => self.status = what.to_owned(),
            _ => {}
        }
        self.check(&creator, data);
    }

    fn check(&self, creator: &String, data: &Value) {
        let held: i128 = self.places.values().sum();
        assert!(held <= self.escrow, "more is held than there is: {data}");
        let of = |sums: &BTreeMap<String, i128>| sums.get(creator).copied().unwrap_or_default();
        assert!(
            of(&self.taken_out) <= of(&self.earned),
            "more is paid out than was earned: {data}"
        );
        if self.status == "closed" {
            assert_eq!((self.escrow, held), (0, 0), "closed with money: {data}");
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Whether the rules let these events of one campaign pass.
    fn holds(events: &[(&str, Value)]) -> bool {
        let events = events.to_vec();
        std::panic::catch_unwind(move || {
            let mut campaigns = Campaigns::default();
            campaigns.apply("c", "campaign.created", &json!({"brief": {"budget_vcoin": "100"}}));
            campaigns.apply("c", "campaign.published", &json!({}));
            campaigns.apply("c", "campaign.mission_added", &json!({"mission": "m", "places": 1}));
            campaigns.apply("c", "campaign.funded", &json!({"amount_vcoin": "50"}));
            for (event_type, data) in &events {
                campaigns.apply("c", event_type, data);
            }
        })
        .is_ok()
    }

    fn place(assignment: &str) -> Value {
        json!({"mission": "m", "assignment": assignment, "creator": "a", "reward_vcoin": "20",
            "net_vcoin": "19", "fee_vcoin": "1"})
    }

    fn payout(id: &str, amount: &str) -> Value {
        json!({"payout": id, "creator": "a", "amount_vcoin": amount})
    }

    #[test]
    fn what_must_not_happen_is_noticed() {
        let (taken, paid) = ("campaign.place_taken", "campaign.reward_paid");
        let reserved = "campaign.payout_reserved";
        assert!(holds(&[
            (taken, place("1")),
            (paid, place("1")),
            (reserved, payout("p", "19"))
        ]));
        let closed = json!({"returned_vcoin": "50"});
        assert!(holds(&[("campaign.closed", closed)]));
        for wrong in [
            &[(taken, place("1")), (taken, place("2"))][..],
            &[(paid, place("1"))],
            &[(taken, place("1")), (paid, place("1")), (paid, place("1"))],
            &[
                (taken, place("1")),
                (paid, place("1")),
                (reserved, payout("p", "19.0001")),
            ],
            &[
                (taken, place("1")),
                (paid, place("1")),
                (reserved, payout("p", "15")),
                (reserved, payout("q", "15")),
            ],
            &[("campaign.funded", json!({"amount_vcoin": "50.0001"}))],
            &[("campaign.closed", json!({"returned_vcoin": "49.9999"}))],
            &[("campaign.paused", json!({})), (taken, place("1"))],
            &[
                ("payout.approved", json!({})),
                ("payout.submitted", json!({"attempt": 1})),
                ("payout.submitted", json!({"attempt": 1})),
            ],
            &[("assignment.submitted", json!({})), ("assignment.expired", json!({}))],
        ] {
            assert!(!holds(wrong), "{wrong:?}");
        }
    }
}
