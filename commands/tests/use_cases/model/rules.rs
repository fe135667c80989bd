//! What is wrong with a request, all of it: it must be carried out if nothing is, and refused for one of these otherwise.

use super::action::{Action, Report, Source, Work};
use super::state::{ADMIN, CREATORS, Model, SPONSORS};
use std::collections::BTreeSet;

/// The codes of what is wrong.
pub(crate) type Wrong = BTreeSet<&'static str>;

/// Where new work can be offered, and where a creator is free for it.
const NOT_BUSY: [&str; 5] = ["missing", "declined", "withdrawn", "expired", "cancelled"];
/// Before a payout is sent.
const NOT_SENT: [&str; 3] = ["requested", "sponsor_approved", "approved"];

/// Collects what is wrong.
struct Check(Wrong);

impl Check {
    fn unless(&mut self, fine: bool, code: &'static str) {
        if !fine {
            self.0.insert(code);
        }
    }
}

impl Model {
    /// What is wrong with a request as things are.
    pub(crate) fn wrong(&self, action: &Action) -> Wrong {
        let mut check = Check(Wrong::new());
        match action {
            Action::OnRamp { user, cents, entry } => {
                check.unless(*user != ADMIN, "unknown_user");
                check.unless(*cents > 0, "amount_not_positive");
                check.unless(!self.entries.contains(entry), "fiat_entry_used");
            }
            Action::Create { who, budget } => {
                check.unless(SPONSORS.contains(who), "not_a_sponsor");
                check.unless(*budget > 0, "invalid_campaign");
            }
            Action::Edit { who, campaign, .. }
            | Action::AddMission { who, campaign, .. }
            | Action::Publish { who, campaign }
            | Action::Pause { who, campaign }
            | Action::Fund { who, campaign, .. }
            | Action::Close { who, campaign } => {
                check.unless(self.may(*who, self.campaigns[*campaign].owner), "not_found");
                self.check_campaign(&mut check, action, *campaign);
            }
            Action::OpenMission { who, mission }
            | Action::CloseMission { who, mission }
            | Action::Invite { who, mission, .. } => {
                check.unless(self.may(*who, self.owner_of(*mission)), "not_found");
                self.check_mission(&mut check, action, *mission);
            }
            Action::Raise { source } => {
                let there = !matches!(source, Source::Work(work) if self.status(*work) == "missing");
                check.unless(there, "unknown_source");
            }
            Action::Resolve { flag, .. } => check.unless(self.flags[*flag].status == "open", "flag_wrong_status"),
            action => self.check_work(&mut check, action),
        }
        check.0
    }

    fn may(&self, who: usize, owner: usize) -> bool {
        who == ADMIN || who == owner
    }

    fn status(&self, work: Work) -> &'static str {
        self.works.get(&work).copied().unwrap_or("missing")
    }

    fn check_campaign(&self, check: &mut Check, action: &Action, number: usize) {
        let campaign = &self.campaigns[number];
        let mut missions = self.missions.iter().filter(|mission| mission.campaign == number);
        let mut is = |allowed: &[&str]| check.unless(allowed.contains(&campaign.status), "campaign_wrong_status");
        match action {
            Action::Edit { budget, .. } => {
                is(&["draft"]);
                let covers = missions.all(|mission| mission.reward <= *budget);
                let fits = *budget > 0 && *budget >= campaign.funded && covers && campaign.end > self.now;
                check.unless(fits, "invalid_campaign");
            }
            Action::AddMission { reward, days, .. } => {
                is(&["draft", "published", "paused"]);
                let in_time = self.now + chrono::Duration::days(*days) <= campaign.end;
                let fits = (1..=campaign.budget).contains(reward) && in_time;
                check.unless(fits, "invalid_mission");
            }
            Action::Publish { .. } => {
                is(&["draft", "paused"]);
                check.unless(missions.next().is_some(), "no_mission");
                check.unless(campaign.end > self.now, "campaign_ended");
            }
            Action::Pause { .. } => is(&["published"]),
            Action::Fund { amount, .. } => {
                is(&["draft", "published", "paused"]);
                check.unless(*amount > 0, "amount_not_positive");
                check.unless(campaign.funded + amount <= campaign.budget, "budget_exceeded");
                check.unless(self.wallets[campaign.owner] >= *amount, "insufficient_funds");
            }
            _ => is(&["draft", "published", "paused"]),
        }
    }

    fn check_mission(&self, check: &mut Check, action: &Action, number: usize) {
        let mission = &self.missions[number];
        let status = self.campaigns[mission.campaign].status;
        check.unless(!mission.closed, "mission_closed");
        let mut is = |allowed: &[&str]| check.unless(allowed.contains(&status), "campaign_wrong_status");
        match action {
            Action::CloseMission { .. } => is(&["draft", "published", "paused", "closing"]),
            Action::OpenMission { .. } => {
                is(&["draft", "published", "paused"]);
                check.unless(!mission.call, "already_open_call");
                check.unless(self.now < mission.deadline, "deadline_passed");
            }
            Action::Invite { users, .. } => {
                is(&["published", "paused"]);
                check.unless(self.now < mission.deadline, "deadline_passed");
                let once = users.iter().collect::<BTreeSet<_>>().len() == users.len();
                check.unless(once, "invalid_invitations");
                for user in users {
                    check.unless(CREATORS.contains(user), "unknown_creator");
                    let free = NOT_BUSY.contains(&self.status((number, *user)));
                    check.unless(free, "assignment_wrong_status");
                }
            }
            _ => unreachable!("{action:?} is about something else"),
        }
    }

    /// Whether there is a place in a mission now.
    fn check_place(&self, check: &mut Check, number: usize) {
        let mission = &self.missions[number];
        let campaign = &self.campaigns[mission.campaign];
        check.unless(campaign.status == "published", "campaign_wrong_status");
        check.unless(campaign.end > self.now, "campaign_ended");
        check.unless(!mission.closed, "mission_closed");
        check.unless(mission.free > 0, "mission_full");
        check.unless(campaign.escrow - campaign.held >= mission.reward, "escrow_too_low");
    }

    fn check_work(&self, check: &mut Check, action: &Action) {
        let in_time = |mission: usize| self.now < self.missions[mission].deadline;
        match action {
            Action::Accept { who, work } | Action::Decline { who, work } | Action::Withdraw { who, work } => {
                check.unless(self.may(*who, work.1) && self.status(*work) != "missing", "not_found");
                let allowed: &[&str] = match action {
                    Action::Withdraw { .. } => &["accepted", "submitted", "rejected"],
                    _ => &["invited"],
                };
                check.unless(allowed.contains(&self.status(*work)), "assignment_wrong_status");
                if matches!(action, Action::Accept { .. }) {
                    check.unless(in_time(work.0), "deadline_passed");
                    self.check_place(check, work.0);
                }
            }
            Action::Join { who, mission } => {
                check.unless(CREATORS.contains(who), "not_a_creator");
                let campaign = &self.campaigns[self.missions[*mission].campaign];
                check.unless(campaign.status != "draft", "not_found");
                let status = self.status((*mission, *who));
                let free = NOT_BUSY.contains(&status) || status == "invited";
                check.unless(free, "assignment_wrong_status");
                check.unless(self.missions[*mission].call || status == "invited", "not_an_open_call");
                check.unless(in_time(*mission), "deadline_passed");
                self.check_place(check, *mission);
            }
            Action::Submit { who, mission, fits } => {
                check.unless(CREATORS.contains(who), "not_a_creator");
                let status = self.status((*mission, *who));
                check.unless(status != "missing", "unknown_assignment");
                check.unless(["accepted", "rejected"].contains(&status), "assignment_wrong_status");
                check.unless(in_time(*mission), "deadline_passed");
                check.unless(*fits, "requirements_not_met");
                if status == "rejected" {
                    self.check_place(check, *mission);
                }
            }
            Action::Review { who, work, .. } => {
                let there = self.may(*who, self.owner_of(work.0)) && self.status(*work) != "missing";
                check.unless(there, "not_found");
                check.unless(self.status(*work) == "submitted", "assignment_wrong_status");
            }
            Action::Expire { work } => {
                let status = self.status(*work);
                check.unless(status != "missing", "not_found");
                let may = ["invited", "accepted", "rejected"].contains(&status);
                check.unless(may, "assignment_wrong_status");
                check.unless(!in_time(work.0), "deadline_not_passed");
            }
            Action::CancelInvitation { work } => {
                check.unless(self.status(*work) != "missing", "unknown_assignment");
                check.unless(self.status(*work) == "invited", "assignment_wrong_status");
            }
            action => self.check_payout(check, action),
        }
    }

    fn check_payout(&self, check: &mut Check, action: &Action) {
        let code = "payout_wrong_status";
        let is = |payout: usize, allowed: &[&str]| allowed.contains(&self.payouts[payout].status);
        let sponsor = |payout: usize| self.campaigns[self.payouts[payout].campaign].owner;
        match *action {
            Action::Request { who, campaign, amount } => {
                check.unless(CREATORS.contains(&who), "not_a_creator");
                check.unless(amount > 0, "amount_not_positive");
                // Less than a cent.
                check.unless(amount >= 10_000, "payout_too_small");
                let payable = self.payable.get(&(campaign, who)).copied().unwrap_or_default();
                check.unless(payable >= amount, "payout_exceeds_earnings");
            }
            Action::Approve { who, payout, reads } => {
                check.unless(self.may(who, sponsor(payout)), "not_found");
                let needed = if who == ADMIN { "sponsor_approved" } else { "requested" };
                check.unless(is(payout, &[needed]), code);
                check.unless(self.payouts[payout].flags.is_empty(), "payout_held");
                check.unless(reads, "digest_mismatch");
            }
            Action::Reject { who, payout } => {
                check.unless(self.may(who, sponsor(payout)), "not_found");
                check.unless(is(payout, &NOT_SENT), code);
            }
            Action::Cancel { who, payout } => {
                check.unless(self.may(who, self.payouts[payout].creator), "not_found");
                check.unless(is(payout, &NOT_SENT), code);
            }
            Action::Send { payout } => {
                check.unless(is(payout, &["approved"]), code);
                check.unless(self.payouts[payout].flags.is_empty(), "payout_held");
            }
            Action::Report { payout, report } => match report {
                Report::Unknown => check.unless(is(payout, &["submitted"]), code),
                _ => check.unless(is(payout, &["submitted", "unknown"]), code),
            },
            _ => unreachable!("{action:?} is about something else"),
        }
    }
}
