//! Random journeys through the use cases, beside an independent model of the platform: maps and numbers, no events. After
//! every request both say the same about every balance, every status and what can be paid out; and what the model cannot
//! say, that the log holds together, is checked by reading it again.
//!
//! A failure names its seed: `VIRAL_SEED=<n> cargo test -p viral-commands --test use_cases model` plays that journey alone,
//! with every request.

mod action;
mod generator;
mod player;
mod rules;
mod state;

use crate::dice::Dice;
use crate::replay::Replay;
use crate::world::code_of;
use action::Action;
use chrono::Duration;
use generator::likely;
use player::{Player, amount};
use state::{CREATORS, Model, USERS};
use std::collections::BTreeMap;
use viral_commands::{Outcome, Request};
use viral_domain::{Terms, effects};
use viral_store::{EventStore as _, StoredEvent};

/// How many journeys there are, and how many requests each has.
const JOURNEYS: u64 = 300;
const REQUESTS: usize = 250;

/// How often each answer was given: by the name of the action if it was carried out, by code if not.
#[derive(Default)]
struct Tally {
    accepted: BTreeMap<String, u64>,
    refused: BTreeMap<String, u64>,
}

struct Journey {
    dice: Dice,
    model: Model,
    player: Player,
    replay: Replay,
    /// What was carried out, to be asked for again.
    done: Vec<(Request, Action, Vec<StoredEvent>)>,
    tally: Tally,
    aloud: bool,
}

impl Journey {
    async fn new(seed: u64, aloud: bool) -> Journey {
        let model = Model {
            now: "2026-03-01T09:00:00Z".parse().unwrap(),
            ..Model::default()
        };
        Journey {
            dice: Dice(seed),
            player: Player::new(&model).await,
            model,
            replay: Replay::default(),
            done: Vec::new(),
            tally: Tally::default(),
            aloud,
        }
    }

    async fn step(&mut self) {
        self.pass_time();
        if self.dice.percent(6) && self.repeat().await {
            return;
        }
        let action = likely(&mut self.dice, &self.model);
        let wrong = self.model.wrong(&action);
        if self.aloud {
            println!("{} {action:?} {wrong:?}", self.model.now);
        }
        let before = self.player.world.head().await;
        let request = self.player.world.request();
        match self.player.ask(&request, &action).await {
            Ok(Outcome::Appended(events)) => {
                assert!(wrong.is_empty(), "{action:?} was carried out, though {wrong:?}");
                count(&mut self.tally.accepted, &name(&action));
                self.player.remember(&action, events[0].event_id);
                self.model.apply(&action);
                self.done.push((request, action, events));
            }
            Ok(Outcome::Duplicate(_)) => panic!("{action:?} is new"),
            Err(error) => {
                let code = code_of(&error);
                assert!(
                    wrong.contains(code),
                    "{action:?} was refused: {error}; the model says {wrong:?}"
                );
                assert_eq!(self.player.world.head().await, before, "a refusal was written");
                count(&mut self.tally.refused, code);
            }
        }
        self.compare().await;
    }

    fn pass_time(&mut self) {
        let minutes = match self.dice.percent(1) {
            true => 20_000,
            false => self.dice.below(360),
        };
        let passed = Duration::minutes(i64::try_from(minutes).unwrap());
        self.player.world.wait(passed);
        self.model.now += passed;
    }

    /// Asks again for something that was carried out some time ago: nothing happens.
    async fn repeat(&mut self) -> bool {
        let Some(index) = self.dice.index(self.done.len()) else {
            return false;
        };
        let (request, action, events) = &self.done[index];
        let before = self.player.world.head().await;
        let again = self.player.ask(request, action).await.unwrap();
        assert_eq!(again, Outcome::Duplicate(events.clone()), "{action:?}");
        let mut other = request.clone();
        other.request_hash = Some("0".repeat(64));
        let error = self.player.ask(&other, action).await.unwrap_err();
        assert_eq!(code_of(&error), "key_reused");
        assert_eq!(self.player.world.head().await, before, "a repetition was written");
        count(&mut self.tally.accepted, "repeated");
        true
    }

    /// The model and the log say the same.
    async fn compare(&mut self) {
        let position = self.replay.position();
        let events = self.player.world.store.read_after(position, usize::MAX).await.unwrap();
        self.replay.take(&events);
        let (model, player, replay) = (&self.model, &self.player, &self.replay);
        for user in 1..USERS {
            let wallet = replay.vcoin(&effects::wallet(player.user(user)));
            assert_eq!(wallet, (model.wallets[user], 0), "wallet of user {user}");
        }
        for (number, campaign) in model.campaigns.iter().enumerate() {
            let id = player.campaigns[number];
            let escrow = replay.vcoin(&effects::escrow(id));
            assert_eq!(escrow, (campaign.escrow, campaign.held), "escrow of campaign {number}");
            assert_eq!(
                replay.campaign(id).status.as_str(),
                campaign.status,
                "campaign {number}"
            );
            for creator in CREATORS {
                let payable = model.payable.get(&(number, creator)).copied().unwrap_or_default();
                let said = replay.campaign(id).payable(player.user(creator));
                assert_eq!(said, amount(payable), "campaign {number}, creator {creator}");
            }
        }
        for (work, status) in &model.works {
            let assignment = replay.assignment(player.assignment(*work));
            assert_eq!(assignment.status.as_str(), *status, "work {work:?}");
        }
        assert_eq!(replay.assignments.len(), model.works.len());
        for (number, payout) in model.payouts.iter().enumerate() {
            let said = replay.payout(player.payouts[number]);
            assert_eq!(said.status.as_str(), payout.status, "payout {number}");
            assert_eq!(said.holds.len(), payout.flags.len(), "payout {number}");
            let pending = if payout.is_over() { 0 } else { payout.amount };
            assert_eq!(replay.vcoin(&effects::pending(player.payouts[number])), (pending, 0));
        }
        for (number, flag) in model.flags.iter().enumerate() {
            let said = replay.flags[&player.flags[number]].status;
            assert_eq!(said.as_str(), flag.status, "flag {number}");
        }
        if model.issued > 0 {
            self.compare_platform();
        }
    }

    fn compare_platform(&self) {
        let fiat = Terms::default().fiat;
        assert_eq!(self.replay.vcoin(&effects::fees()), (self.model.fees, 0));
        assert_eq!(self.replay.vcoin(&effects::issuance()), (self.model.issued, 0));
        let backing = self.replay.book().account(&effects::backing(fiat)).unwrap();
        assert_eq!(backing.balance(), self.model.backing);
    }
}

/// Says which journey it was, if it fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the journey failed: play it again with VIRAL_SEED={}", self.0);
        }
    }
}

fn journey(seed: u64, aloud: bool) -> Tally {
    let named = Seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let tally = runtime.block_on(async {
        let mut journey = Journey::new(seed, aloud).await;
        for _ in 0..REQUESTS {
            journey.step().await;
        }
        journey.player.world.audit().await;
        journey.tally
    });
    drop(named);
    tally
}

#[test]
fn random_journeys_go_as_the_model_says() {
    if let Ok(seed) = std::env::var("VIRAL_SEED") {
        journey(seed.parse().unwrap(), true);
        return;
    }
    let half = |odd: u64| {
        let mut sum = Tally::default();
        for seed in (0..JOURNEYS).filter(|seed| seed % 2 == odd) {
            let tally = journey(seed, false);
            sum.add(tally);
        }
        sum
    };
    let mut sum = std::thread::scope(|scope| {
        let halves = [scope.spawn(|| half(0)), scope.spawn(|| half(1))];
        let mut sum = Tally::default();
        for half in halves {
            sum.add(half.join().expect("a journey failed, see above"));
        }
        sum
    });
    let repeated = sum.accepted.remove("repeated").unwrap_or_default();
    let [accepted, refused] = [&sum.accepted, &sum.refused].map(|counts| counts.values().sum::<u64>());
    let share = 100 * accepted / (accepted + refused);
    println!("{JOURNEYS} journeys: {accepted} carried out ({share} %), {refused} refused, {repeated} repeated");
    println!("carried out: {:?}\nrefused: {:?}", sum.accepted, sum.refused);
    assert!(share >= 50, "only {share} % were carried out");
    assert_eq!(sum.accepted.len(), 27, "some requests were never carried out");
    assert!(sum.refused.len() >= 30, "some refusals were never seen");
    assert!(repeated > 0);
}

impl Tally {
    fn add(&mut self, other: Tally) {
        for (name, times) in other.accepted {
            *self.accepted.entry(name).or_default() += times;
        }
        for (code, times) in other.refused {
            *self.refused.entry(code).or_default() += times;
        }
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

/// The name of an action, with what it asks for where that makes another one of it.
fn name(action: &Action) -> String {
    let text = format!("{action:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}
