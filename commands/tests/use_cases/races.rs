//! Many at once on one campaign, from two processes on one log. Whoever loses is refused for what is so by then, never
//! for having lost; nothing is paid twice, no place is sold twice, and in the end the escrow is empty.

use crate::dice::Dice;
use crate::stage::*;
use crate::world::{World, code_of, id, vcoin};
use std::collections::BTreeMap;
use std::sync::Arc;
use viral_commands::use_cases::*;
use viral_commands::{Caller, CommandError, Environment, Outcome, UseCase};
use viral_domain::campaign::Status;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, CampaignId, MissionId, PayoutId, Terms};
use viral_store::StoredEvent;

/// How many processes there are.
pub(crate) const PROCESSES: usize = 2;
/// How many work at once.
pub(crate) const TASKS: usize = 64;
/// How many creators there are: several tasks for each.
const CREATORS: usize = 16;
/// What races are for; all other reasons are mistakes.
const LOST: [&str; 11] = [
    "assignment_wrong_status",
    "budget_exceeded",
    "campaign_wrong_status",
    "escrow_too_low",
    "mission_closed",
    "mission_full",
    "payout_exceeds_earnings",
    "payout_wrong_status",
    "unknown_assignment",
    "unknown_place",
    "already_open_call",
];

/// Everything that tasks share.
pub(crate) struct Race {
    pub(crate) stage: Stage,
    pub(crate) worlds: Vec<World>,
    creators: Vec<Caller>,
    pub(crate) campaign: CampaignId,
    missions: Vec<MissionId>,
    tally: std::sync::Mutex<BTreeMap<&'static str, u32>>,
}

impl Race {
    pub(crate) async fn new() -> Race {
        let stage = Stage::new().await;
        let mut worlds = vec![stage.world.clone()];
        while worlds.len() < PROCESSES {
            worlds.push(stage.world.another(Terms::default(), Environment::Development).await);
        }
        stage.buys("1000.00").await;
        let campaign = stage.draft("50000").await;
        // Three single places, and one mission with more places than are paid for.
        let mut missions = Vec::new();
        for places in [1, 1, 1, 8] {
            missions.push(stage.mission(campaign, "100", places).await);
        }
        stage.publish(campaign).await;
        stage.fund(campaign, "500").await;
        let mut creators = Vec::new();
        for _ in 0..CREATORS {
            creators.push(stage.world.user(Role::Creator).await);
        }
        let invited: Vec<&Caller> = creators.iter().collect();
        for mission in &missions[1..] {
            stage.invite(*mission, &invited).await;
        }
        let mission = missions[0];
        stage.world.must(&stage.sponsor, &OpenMission { mission }).await;
        Race {
            worlds,
            stage,
            creators,
            campaign,
            missions,
            tally: Default::default(),
        }
    }

    /// Asks one of the processes, and sometimes the other one at the same time for the same.
    async fn ask(&self, dice: &mut Dice, who: &Caller, case: &impl UseCase) -> Option<Vec<StoredEvent>> {
        let request = self.stage.world.request();
        let here = dice.index(PROCESSES).unwrap();
        let twice = dice.below(8) == 0;
        let ask = |world: usize| self.worlds[world].commands.run(who, &request, case);
        let answers = match twice {
            true => {
                let (first, second) = tokio::join!(ask(here), ask((here + 1) % PROCESSES));
                vec![first, second]
            }
            false => vec![ask(here).await],
        };
        self.count(answers)
    }

    /// Counts answers to one request; the events if it was carried out.
    fn count(&self, answers: Vec<Result<Outcome, CommandError>>) -> Option<Vec<StoredEvent>> {
        let appended = answers
            .iter()
            .flatten()
            .filter(|outcome| !outcome.is_duplicate())
            .count();
        assert!(appended <= 1, "the same request happened twice");
        let mut tally = self.tally.lock().unwrap();
        let mut events = None;
        for answer in answers {
            let name = match &answer {
                Ok(Outcome::Appended(_)) => "done",
                Ok(Outcome::Duplicate(_)) => "duplicate",
                Err(error) => {
                    let code = code_of(error);
                    assert!(LOST.contains(&code), "{code}: {error}");
                    code
                }
            };
            *tally.entry(name).or_default() += 1;
            events = events.or_else(|| answer.ok().map(|outcome| outcome.events().to_vec()));
        }
        events
    }

    /// A creator goes for a mission, hands in work, has it reviewed, and asks for the money: each step as soon as the one
    /// before was answered, whatever the answer was.
    async fn journey(&self, dice: &mut Dice) {
        let creator = &self.creators[dice.index(CREATORS).unwrap()];
        let mission = self.missions[dice.index(self.missions.len()).unwrap()];
        let assignment = AssignmentId::of(mission, id(creator));
        match mission == self.missions[0] {
            true => self.ask(dice, creator, &JoinMission { mission }).await,
            false => self.ask(dice, creator, &AcceptAssignment { assignment }).await,
        };
        self.ask(dice, creator, &submission(mission)).await;
        self.review(dice, assignment).await;
        let (campaign, amount) = (self.campaign, vcoin("60"));
        let request = RequestPayout { campaign, amount };
        if let Some(events) = self.ask(dice, creator, &request).await {
            self.pay(dice, creator, PayoutId(events[0].event_id)).await;
        }
    }

    async fn review(&self, dice: &mut Dice, assignment: AssignmentId) {
        let sponsor = &self.stage.sponsor;
        // Another creator's assignment may not exist yet: then it is nobody's.
        if !self.worlds[0].exists(assignment).await {
            return;
        }
        match dice.below(4) {
            0 => self.ask(dice, sponsor, &rejection(assignment)).await,
            _ => self.ask(dice, sponsor, &approval(assignment)).await,
        };
    }

    /// The sponsor approves while the creator may change their mind; then it is sent and settled.
    async fn pay(&self, dice: &mut Dice, creator: &Caller, payout: PayoutId) {
        let approval = self.worlds[0].approval_of(payout).await;
        let (sponsor, admin) = (&self.stage.sponsor, &self.stage.admin);
        let cancel = CancelPayout { payout, reason: None };
        let cancels = dice.below(4) == 0;
        let mut other = Dice(dice.0 ^ 1);
        tokio::join!(self.ask(dice, sponsor, &approval), async {
            if cancels {
                self.ask(&mut other, creator, &cancel).await;
            }
        });
        self.ask(dice, admin, &sending(payout)).await;
        match dice.below(3) {
            0 => self.ask(dice, admin, &failed(payout, true)).await,
            _ => self.ask(dice, admin, &settled(payout)).await,
        };
    }

    /// How many calls have ended.
    fn calls(&self) -> u64 {
        self.tally.lock().unwrap().values().copied().map(u64::from).sum()
    }

    /// One task of many.
    async fn task(self: Arc<Race>, number: usize, mut dice: Dice) {
        let (campaign, sponsor) = (self.campaign, self.stage.sponsor.clone());
        match number % 8 {
            0 => {
                for _ in 0..4 {
                    let amount = vcoin("120");
                    self.ask(&mut dice, &sponsor, &FundCampaign { campaign, amount }).await;
                }
            }
            1 if number == 1 => {
                // The campaign is closed under everybody's feet, after some of the calls; there are twice as many.
                let enough = dice.below(100);
                while self.calls() < enough {
                    tokio::task::yield_now().await;
                }
                self.ask(&mut dice, &sponsor, &CloseCampaign { campaign }).await;
            }
            _ => {
                for _ in 0..3 {
                    self.journey(&mut dice).await;
                }
            }
        }
    }

    /// Settles what is left: open work is reviewed, open payouts are cancelled or settled.
    async fn settle(&self) {
        let (world, stage) = (&self.worlds[1], &self.stage);
        let replay = world.audit().await;
        let open = replay
            .assignments
            .iter()
            .filter(|(_, assignment)| assignment.hold.is_some());
        for (id, assignment) in open {
            let creator = self
                .creators
                .iter()
                .find(|creator| creator.user == assignment.offer.as_ref().map(|o| o.creator));
            let (creator, assignment_id) = (creator.unwrap(), *id);
            if assignment.status == viral_domain::assignment::Status::Submitted {
                world.must(&stage.sponsor, &approval(assignment_id)).await;
            } else {
                let withdraw = WithdrawAssignment {
                    assignment: assignment_id,
                    reason: None,
                };
                world.must(creator, &withdraw).await;
            }
        }
        for (payout, state) in replay.payouts.iter().filter(|(_, payout)| !payout.status.is_over()) {
            if state.status == viral_domain::payout::Status::Submitted {
                world.must(&stage.admin, &settled(*payout)).await;
            } else {
                let reason = "over".to_owned();
                world
                    .must(
                        &stage.sponsor,
                        &RejectPayout {
                            payout: *payout,
                            reason,
                        },
                    )
                    .await;
            }
        }
    }
}

/// One seed: everybody at once, then what is left, then the checks.
async fn race(seed: u64) -> BTreeMap<&'static str, u32> {
    let race = Arc::new(Race::new().await);
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| tokio::spawn(race.clone().task(number, Dice(seed << 32 | number as u64))))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    race.settle().await;
    for world in &race.worlds {
        // The invariants: no reward twice, no place oversold, the escrow empty once it is closed.
        let replay = world.audit().await;
        let campaign = replay.campaign(race.campaign);
        assert_eq!(campaign.status, Status::Closed);
        assert!(campaign.open_payouts.is_empty());
        let paid: u32 = campaign.missions.values().map(|mission| mission.taken).sum();
        assert_eq!(campaign.paid, vcoin(&(100 * paid).to_string()));
        assert_eq!(usize::try_from(paid).unwrap(), campaign.rewarded.len());
    }
    rewards_are_paid_once(&race.worlds[0].log().await);
    let tally = race.tally.lock().unwrap();
    tally.clone()
}

/// Read from the ledger alone: at most one reward for an assignment.
fn rewards_are_paid_once(log: &[StoredEvent]) {
    let mut seen = std::collections::BTreeSet::new();
    for event in log.iter().filter(|event| event.event_type == "book.transaction_posted") {
        let json: serde_json::Value = serde_json::from_str(&event.payload).unwrap();
        if json["code"] == "reward" {
            assert!(seen.insert(json["reference"]["id"].to_string()), "{json}");
        }
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(4).enable_all().build().unwrap()
}

#[test]
fn sixty_four_tasks_on_one_campaign() {
    let mut tally: BTreeMap<&str, u32> = BTreeMap::new();
    for seed in 0..20 {
        let runtime = runtime();
        let of_seed = runtime.block_on(race(seed));
        println!("seed {seed}: {of_seed:?}");
        of_seed
            .into_iter()
            .for_each(|(name, count)| *tally.entry(name).or_default() += count);
    }
    println!("{tally:?}");
    for needed in [
        "done",
        "duplicate",
        "mission_full",
        "campaign_wrong_status",
        "payout_exceeds_earnings",
    ] {
        assert!(tally.contains_key(needed), "no race ended as {needed}");
    }
}
