//! Asks the platform for what a random journey asks for.

use super::action::{Action, Report, Source, Work};
use super::state::{ADMIN, Model, USERS};
use crate::stage::{approval, failed, rejection, sending, settled, submission, unknown};
use crate::world::{World, id, usd};
use chrono::Duration;
use serde_json::json;
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_commands::{Caller, CommandError, Outcome, Request, UseCase};
use viral_domain::campaign::{Brief, BriefEdit};
use viral_domain::fraud_flag::SourceType;
use viral_domain::{AssignmentId, CampaignId, FlagId, MissionId, PayoutId, Requirements, UserId, Vcoin};
use viral_ledger::Amount;

/// The real ids of what the model has numbers for.
pub(crate) struct Player {
    pub(crate) world: World,
    pub(crate) users: Vec<Caller>,
    pub(crate) campaigns: Vec<CampaignId>,
    pub(crate) missions: Vec<MissionId>,
    pub(crate) payouts: Vec<PayoutId>,
    pub(crate) flags: Vec<FlagId>,
}

pub(crate) type Answer = Result<Outcome, CommandError>;

impl Player {
    /// Users of all roles in an empty world.
    pub(crate) async fn new(model: &Model) -> Player {
        use viral_domain::user::Role;
        let world = World::new().await;
        world.wait(model.now - world.now());
        let mut users = Vec::new();
        for number in 0..USERS {
            let role = match number {
                ADMIN => Role::Admin,
                number if super::state::SPONSORS.contains(&number) => Role::Sponsor,
                _ => Role::Creator,
            };
            users.push(world.user(role).await);
        }
        Player {
            world,
            users,
            campaigns: Vec::new(),
            missions: Vec::new(),
            payouts: Vec::new(),
            flags: Vec::new(),
        }
    }

    pub(crate) fn user(&self, number: usize) -> UserId {
        id(&self.users[number])
    }

    pub(crate) fn assignment(&self, work: Work) -> AssignmentId {
        AssignmentId::of(self.missions[work.0], self.user(work.1))
    }

    /// Remembers the id of what an accepted request has made.
    pub(crate) fn remember(&mut self, action: &Action, id: Uuid) {
        match action {
            Action::Create { .. } => self.campaigns.push(CampaignId(id)),
            Action::AddMission { .. } => self.missions.push(MissionId(id)),
            Action::Request { .. } => self.payouts.push(PayoutId(id)),
            Action::Raise { .. } => self.flags.push(FlagId(id)),
            _ => {}
        }
    }

    async fn run(&self, who: usize, request: &Request, case: &impl UseCase) -> Answer {
        self.world.commands.run(&self.users[who], request, case).await
    }

    /// Asks for it under this key.
    pub(crate) async fn ask(&self, request: &Request, action: &Action) -> Answer {
        match action.clone() {
            Action::OnRamp { user, cents, entry } => {
                let fiat_entry = format!("charge-{entry}");
                let fiat = viral_domain::Money {
                    amount: Amount::from_minor(cents).unwrap(),
                    ..usd("0")
                };
                let user = self.user(user);
                self.run(ADMIN, request, &OnRampFiat { user, fiat, fiat_entry }).await
            }
            Action::Create { who, budget } => {
                let brief = self.brief(budget);
                self.run(who, request, &CreateCampaign { brief }).await
            }
            Action::Edit { who, campaign, budget } => {
                let campaign = self.campaigns[campaign];
                let edit = BriefEdit {
                    budget_vcoin: Some(amount(budget)),
                    ..BriefEdit::default()
                };
                self.run(who, request, &EditCampaign { campaign, edit }).await
            }
            Action::AddMission {
                who,
                campaign,
                reward,
                days,
                places,
            } => {
                let mission = AddMission {
                    campaign: self.campaigns[campaign],
                    mission_type: "video".to_owned(),
                    requirements: Requirements::parse(json!({"required": ["url"]})).unwrap(),
                    reward: amount(reward),
                    deadline: self.world.now() + Duration::days(days),
                    places,
                };
                self.run(who, request, &mission).await
            }
            Action::Publish { who, campaign } => {
                let campaign = self.campaigns[campaign];
                self.run(who, request, &PublishCampaign { campaign }).await
            }
            Action::Pause { who, campaign } => {
                let (campaign, reason) = (self.campaigns[campaign], None);
                self.run(who, request, &PauseCampaign { campaign, reason }).await
            }
            Action::Fund {
                who,
                campaign,
                amount: minor,
            } => {
                let (campaign, amount) = (self.campaigns[campaign], amount(minor));
                self.run(who, request, &FundCampaign { campaign, amount }).await
            }
            Action::Close { who, campaign } => {
                let campaign = self.campaigns[campaign];
                self.run(who, request, &CloseCampaign { campaign }).await
            }
            action => self.ask_for_work(request, &action).await,
        }
    }

    fn brief(&self, budget: i128) -> Brief {
        Brief {
            budget_vcoin: amount(budget),
            campaign_type: "launch".to_owned(),
            description: String::new(),
            start_at: self.world.now(),
            end_at: self.world.now() + Duration::days(90),
            kpi_config: serde_json::Map::new(),
            title: "A launch".to_owned(),
        }
    }

    async fn ask_for_work(&self, request: &Request, action: &Action) -> Answer {
        let reason = None;
        match action.clone() {
            Action::OpenMission { who, mission } => {
                let mission = self.missions[mission];
                self.run(who, request, &OpenMission { mission }).await
            }
            Action::CloseMission { who, mission } => {
                let mission = self.missions[mission];
                self.run(who, request, &CloseMission { mission }).await
            }
            Action::Invite { who, mission, users } => {
                let (mission, users) = (self.missions[mission], users.into_iter());
                let creators = users.map(|user| self.user(user)).collect();
                self.run(who, request, &InviteCreators { mission, creators }).await
            }
            Action::Accept { who, work } => {
                let assignment = self.assignment(work);
                self.run(who, request, &AcceptAssignment { assignment }).await
            }
            Action::Decline { who, work } => {
                let assignment = self.assignment(work);
                self.run(who, request, &DeclineAssignment { assignment, reason }).await
            }
            Action::Withdraw { who, work } => {
                let assignment = self.assignment(work);
                self.run(who, request, &WithdrawAssignment { assignment, reason }).await
            }
            Action::Join { who, mission } => {
                let mission = self.missions[mission];
                self.run(who, request, &JoinMission { mission }).await
            }
            Action::Submit { who, mission, fits } => {
                let mut work = submission(self.missions[mission]);
                if !fits {
                    work.deliverable.url = None;
                    work.deliverable.stream_id = Some(Uuid::nil());
                }
                self.run(who, request, &work).await
            }
            Action::Review { who, work, approve } => {
                let assignment = self.assignment(work);
                let review = if approve {
                    approval(assignment)
                } else {
                    rejection(assignment)
                };
                self.run(who, request, &review).await
            }
            Action::Expire { work } => {
                let assignment = self.assignment(work);
                self.run(ADMIN, request, &ExpireAssignment { assignment }).await
            }
            Action::CancelInvitation { work } => {
                let assignment = self.assignment(work);
                self.run(ADMIN, request, &CancelInvitation { assignment, reason }).await
            }
            action => self.ask_for_money(request, &action).await,
        }
    }

    async fn ask_for_money(&self, request: &Request, action: &Action) -> Answer {
        match *action {
            Action::Request {
                who,
                campaign,
                amount: minor,
            } => {
                let (campaign, amount) = (self.campaigns[campaign], amount(minor));
                self.run(who, request, &RequestPayout { campaign, amount }).await
            }
            Action::Approve { who, payout, reads } => {
                let mut approval = self.world.approval_of(self.payouts[payout]).await;
                if !reads {
                    approval.digest.replace_range(..1, "x");
                }
                self.run(who, request, &approval).await
            }
            Action::Reject { who, payout } => {
                let (payout, reason) = (self.payouts[payout], "no".to_owned());
                self.run(who, request, &RejectPayout { payout, reason }).await
            }
            Action::Cancel { who, payout } => {
                let (payout, reason) = (self.payouts[payout], None);
                self.run(who, request, &CancelPayout { payout, reason }).await
            }
            Action::Send { payout } => self.run(ADMIN, request, &sending(self.payouts[payout])).await,
            Action::Report { payout, report } => {
                let payout = self.payouts[payout];
                let report = match report {
                    Report::Settled => settled(payout),
                    Report::Failed { finally } => failed(payout, finally),
                    Report::Unknown => unknown(payout),
                };
                self.run(ADMIN, request, &report).await
            }
            Action::Raise { source } => {
                let (source_type, source_id) = match source {
                    Source::User(user) => (SourceType::User, self.user(user).0),
                    Source::Campaign(campaign) => (SourceType::Campaign, self.campaigns[campaign].0),
                    Source::Work(work) => (SourceType::Assignment, self.assignment(work).0),
                    Source::Payout(payout) => (SourceType::Payout, self.payouts[payout].0),
                };
                let raise = RaiseFlag {
                    source_type,
                    source_id,
                    score: 50,
                    reasons: vec!["odd".to_owned()],
                };
                self.run(ADMIN, request, &raise).await
            }
            Action::Resolve { flag, dismiss } => {
                let flag = self.flags[flag];
                let resolution = if dismiss {
                    Resolution::Dismiss
                } else {
                    Resolution::Confirm
                };
                let note = None;
                self.run(ADMIN, request, &ResolveFlag { flag, resolution, note }).await
            }
            _ => unreachable!("{action:?} is asked for elsewhere"),
        }
    }
}

pub(crate) fn amount(minor: i128) -> Vcoin {
    Vcoin(Amount::from_minor(minor).unwrap())
}
