//! The platform as plain maps and numbers, written from what it is for and not from how it is built. Amounts are minor
//! units, everything has a number, statuses are their names.

use super::action::{Action, Report, Source, Work};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The admin's number, then those of sponsors and creators.
pub(crate) const ADMIN: usize = 0;
pub(crate) const SPONSORS: Range<usize> = 1..3;
pub(crate) const CREATORS: Range<usize> = 3..6;
pub(crate) const USERS: usize = 6;

/// Above 1,000 V-Coin an admin approves payouts too.
pub(crate) const ADMIN_LIMIT: i128 = 10_000_000;
/// How often a payout is sent.
const ATTEMPTS: u32 = 3;

pub(crate) struct Campaign {
    pub(crate) owner: usize,
    pub(crate) status: &'static str,
    pub(crate) budget: i128,
    pub(crate) funded: i128,
    /// What lies in the escrow, and how much of it is held.
    pub(crate) escrow: i128,
    pub(crate) held: i128,
    pub(crate) end: DateTime<Utc>,
}

pub(crate) struct Mission {
    pub(crate) campaign: usize,
    pub(crate) reward: i128,
    pub(crate) deadline: DateTime<Utc>,
    pub(crate) free: u32,
    pub(crate) closed: bool,
    pub(crate) call: bool,
}

pub(crate) struct Payout {
    pub(crate) campaign: usize,
    pub(crate) creator: usize,
    pub(crate) amount: i128,
    pub(crate) status: &'static str,
    pub(crate) sent: u32,
    pub(crate) flags: BTreeSet<usize>,
}

pub(crate) struct Flag {
    pub(crate) source: Source,
    pub(crate) status: &'static str,
}

/// Everything.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) now: DateTime<Utc>,
    pub(crate) wallets: [i128; USERS],
    pub(crate) fees: i128,
    pub(crate) issued: i128,
    /// Cents.
    pub(crate) backing: i128,
    pub(crate) entries: BTreeSet<u64>,
    pub(crate) campaigns: Vec<Campaign>,
    pub(crate) missions: Vec<Mission>,
    pub(crate) works: BTreeMap<Work, &'static str>,
    /// What a creator may still ask for, by campaign and creator.
    pub(crate) payable: BTreeMap<(usize, usize), i128>,
    pub(crate) payouts: Vec<Payout>,
    pub(crate) flags: Vec<Flag>,
}

impl Payout {
    pub(crate) fn is_over(&self) -> bool {
        ["settled", "failed", "rejected", "cancelled"].contains(&self.status)
    }
}

impl Model {
    pub(crate) fn owner_of(&self, mission: usize) -> usize {
        self.campaigns[self.missions[mission].campaign].owner
    }

    /// Whether a suspicion concerns a creator's payouts from a campaign.
    pub(crate) fn concerns(&self, source: Source, payout: Option<usize>, campaign: usize, creator: usize) -> bool {
        match source {
            Source::User(user) => user == creator,
            Source::Campaign(flagged) => flagged == campaign,
            Source::Work((mission, who)) => who == creator && self.missions[mission].campaign == campaign,
            Source::Payout(flagged) => payout == Some(flagged),
        }
    }

    /// Carries out what nothing is wrong with.
    pub(crate) fn apply(&mut self, action: &Action) {
        match action.clone() {
            Action::OnRamp { user, cents, entry } => {
                self.entries.insert(entry);
                self.backing += cents;
                // A cent buys one V-Coin.
                self.issued += cents * 10_000;
                self.wallets[user] += cents * 10_000;
            }
            Action::Create { who, budget } => self.campaigns.push(Campaign {
                owner: who,
                status: "draft",
                budget,
                funded: 0,
                escrow: 0,
                held: 0,
                end: self.now + chrono::Duration::days(90),
            }),
            Action::Edit { campaign, budget, .. } => self.campaigns[campaign].budget = budget,
            Action::AddMission {
                campaign,
                reward,
                days,
                places,
                ..
            } => self.missions.push(Mission {
                campaign,
                reward,
                deadline: self.now + chrono::Duration::days(days),
                free: places,
                closed: false,
                call: false,
            }),
            Action::Publish { campaign, .. } => self.campaigns[campaign].status = "published",
            Action::Pause { campaign, .. } => self.campaigns[campaign].status = "paused",
            Action::OpenMission { mission, .. } => self.missions[mission].call = true,
            Action::CloseMission { mission, .. } => self.missions[mission].closed = true,
            Action::Fund { campaign, amount, .. } => {
                let campaign = &mut self.campaigns[campaign];
                self.wallets[campaign.owner] -= amount;
                campaign.funded += amount;
                campaign.escrow += amount;
            }
            Action::Close { campaign, .. } => self.close(campaign),
            action => self.apply_to_work(&action),
        }
    }

    fn close(&mut self, number: usize) {
        let missions = self.missions.iter_mut().filter(|mission| mission.campaign == number);
        missions.for_each(|mission| mission.closed = true);
        self.campaigns[number].status = "closing";
        self.give_back(number);
    }

    /// What is not held goes back to the sponsor: at the beginning of the end, and at the end.
    fn give_back(&mut self, number: usize) {
        let campaign = &mut self.campaigns[number];
        self.wallets[campaign.owner] += campaign.escrow - campaign.held;
        campaign.escrow = campaign.held;
        if campaign.held == 0 {
            campaign.status = "closed";
        }
    }

    fn apply_to_work(&mut self, action: &Action) {
        match action.clone() {
            Action::Invite { mission, users, .. } => {
                self.works
                    .extend(users.into_iter().map(|user| ((mission, user), "invited")));
            }
            Action::Accept { work, .. } => self.take_place(work, "accepted"),
            Action::Join { who, mission } => self.take_place((mission, who), "accepted"),
            Action::Decline { work, .. } => self.set(work, "declined"),
            Action::CancelInvitation { work } => self.set(work, "cancelled"),
            Action::Submit { who, mission, .. } => {
                let work = (mission, who);
                match self.works[&work] {
                    "rejected" => self.take_place(work, "submitted"),
                    _ => self.set(work, "submitted"),
                }
            }
            Action::Withdraw { work, .. } => self.end(work, "withdrawn", false),
            Action::Expire { work } => self.end(work, "expired", false),
            Action::Review { work, approve, .. } => match approve {
                true => self.end(work, "approved", true),
                false => self.end(work, "rejected", false),
            },
            action => self.apply_to_payout(&action),
        }
    }

    fn set(&mut self, work: Work, status: &'static str) {
        self.works.insert(work, status);
    }

    fn take_place(&mut self, work: Work, status: &'static str) {
        let mission = &mut self.missions[work.0];
        mission.free -= 1;
        self.campaigns[mission.campaign].held += mission.reward;
        self.works.insert(work, status);
    }

    fn end(&mut self, work: Work, status: &'static str, paid: bool) {
        let before = self.works.insert(work, status);
        if !before.is_some_and(|before| ["accepted", "submitted"].contains(&before)) {
            return;
        }
        let mission = &mut self.missions[work.0];
        let number = mission.campaign;
        let campaign = &mut self.campaigns[number];
        campaign.held -= mission.reward;
        match paid {
            true => {
                let fee = mission.reward / 20;
                campaign.escrow -= mission.reward;
                self.fees += fee;
                self.wallets[work.1] += mission.reward - fee;
                *self.payable.entry((number, work.1)).or_default() += mission.reward - fee;
            }
            false => mission.free += 1,
        }
        if campaign.status == "closing" && campaign.held == 0 {
            self.give_back(number);
        }
    }

    fn apply_to_payout(&mut self, action: &Action) {
        match *action {
            Action::Request { who, campaign, amount } => self.request(who, campaign, amount),
            Action::Approve { who, payout, .. } => {
                let large = who != ADMIN && self.payouts[payout].amount > ADMIN_LIMIT;
                self.payouts[payout].status = if large { "sponsor_approved" } else { "approved" };
            }
            Action::Reject { payout, .. } => self.give_up(payout, "rejected"),
            Action::Cancel { payout, .. } => self.give_up(payout, "cancelled"),
            Action::Send { payout } => {
                self.payouts[payout].status = "submitted";
                self.payouts[payout].sent += 1;
            }
            Action::Report { payout, report } => match report {
                Report::Settled => {
                    let payout = &mut self.payouts[payout];
                    payout.status = "settled";
                    self.issued -= payout.amount;
                    self.backing -= payout.amount / 10_000;
                }
                Report::Failed { finally } if finally || self.payouts[payout].sent >= ATTEMPTS => {
                    self.give_up(payout, "failed");
                }
                Report::Failed { .. } => self.payouts[payout].status = "approved",
                Report::Unknown => self.payouts[payout].status = "unknown",
            },
            Action::Raise { source } => {
                let flag = self.flags.len();
                for number in 0..self.payouts.len() {
                    let payout = &self.payouts[number];
                    let concerned = self.concerns(source, Some(number), payout.campaign, payout.creator);
                    if concerned && !payout.is_over() {
                        self.payouts[number].flags.insert(flag);
                    }
                }
                self.flags.push(Flag { source, status: "open" });
            }
            Action::Resolve { flag, dismiss } => {
                self.flags[flag].status = if dismiss { "dismissed" } else { "confirmed" };
                for payout in self.payouts.iter_mut().filter(|payout| dismiss && !payout.is_over()) {
                    payout.flags.remove(&flag);
                }
            }
            _ => unreachable!("{action:?} is carried out elsewhere"),
        }
    }

    fn request(&mut self, who: usize, campaign: usize, amount: i128) {
        self.wallets[who] -= amount;
        *self.payable.entry((campaign, who)).or_default() -= amount;
        let stands =
            |(_, flag): &(usize, &Flag)| flag.status != "dismissed" && self.concerns(flag.source, None, campaign, who);
        let flags = self
            .flags
            .iter()
            .enumerate()
            .filter(stands)
            .map(|(number, _)| number)
            .collect();
        self.payouts.push(Payout {
            campaign,
            creator: who,
            amount,
            status: "requested",
            sent: 0,
            flags,
        });
    }

    fn give_up(&mut self, number: usize, status: &'static str) {
        let payout = &mut self.payouts[number];
        payout.status = status;
        self.wallets[payout.creator] += payout.amount;
        *self.payable.entry((payout.campaign, payout.creator)).or_default() += payout.amount;
    }
}
