//! The usual people and things: a sponsor with money, creators, a published campaign.

use crate::world::{World, id, usd, vcoin};
use chrono::Duration;
use serde_json::json;
use viral_commands::Caller;
use viral_commands::use_cases::*;
use viral_domain::assignment::Deliverable;
use viral_domain::campaign::Brief;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, CampaignId, MissionId, PayoutId, Requirements};
use viral_store::StoredEvent;

/// A world with people in it.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) admin: Caller,
    pub(crate) sponsor: Caller,
    /// Another sponsor, to whom nothing of this belongs.
    pub(crate) rival: Caller,
    pub(crate) first: Caller,
    pub(crate) second: Caller,
}

impl Stage {
    pub(crate) async fn new() -> Stage {
        Stage::in_world(World::new().await).await
    }

    pub(crate) async fn in_world(world: World) -> Stage {
        Stage {
            admin: world.user(Role::Admin).await,
            sponsor: world.user(Role::Sponsor).await,
            rival: world.user(Role::Sponsor).await,
            first: world.user(Role::Creator).await,
            second: world.user(Role::Creator).await,
            world,
        }
    }

    /// Buys V-Coin for the sponsor, one for a cent.
    pub(crate) async fn buys(&self, dollars: &str) {
        self.world.must(&self.admin, &self.on_ramp(dollars)).await;
    }

    pub(crate) fn on_ramp(&self, dollars: &str) -> OnRampFiat {
        OnRampFiat {
            user: id(&self.sponsor),
            fiat: usd(dollars),
            fiat_entry: self.world.fresh("charge"),
        }
    }

    /// A campaign's text: it lasts ninety days.
    pub(crate) fn brief(&self, budget: &str) -> Brief {
        Brief {
            budget_vcoin: vcoin(budget),
            campaign_type: "launch".to_owned(),
            description: "Show it to everybody.".to_owned(),
            start_at: self.world.now(),
            end_at: self.world.now() + Duration::days(90),
            kpi_config: json!({"deliverables": 2}).as_object().unwrap().clone(),
            title: "A launch".to_owned(),
        }
    }

    pub(crate) async fn draft(&self, budget: &str) -> CampaignId {
        let brief = self.brief(budget);
        CampaignId(self.world.made(&self.sponsor, &CreateCampaign { brief }).await)
    }

    /// A mission whose work must be a link; thirty days are left for it.
    pub(crate) fn new_mission(&self, campaign: CampaignId, reward: &str, places: u32) -> AddMission {
        AddMission {
            campaign,
            mission_type: "video".to_owned(),
            requirements: Requirements::parse(json!({"required": ["url"]})).unwrap(),
            reward: vcoin(reward),
            deadline: self.world.now() + Duration::days(30),
            places,
        }
    }

    pub(crate) async fn mission(&self, campaign: CampaignId, reward: &str, places: u32) -> MissionId {
        let mission = self.new_mission(campaign, reward, places);
        MissionId(self.world.made(&self.sponsor, &mission).await)
    }

    pub(crate) async fn fund(&self, campaign: CampaignId, amount: &str) {
        let amount = vcoin(amount);
        self.world.must(&self.sponsor, &FundCampaign { campaign, amount }).await;
    }

    pub(crate) async fn publish(&self, campaign: CampaignId) {
        self.world.must(&self.sponsor, &PublishCampaign { campaign }).await;
    }

    /// A published campaign with a budget of 10,000, one mission, and so much in its escrow.
    pub(crate) async fn published(&self, reward: &str, places: u32, funded: &str) -> (CampaignId, MissionId) {
        self.buys("200.00").await;
        let campaign = self.draft("10000").await;
        let mission = self.mission(campaign, reward, places).await;
        self.publish(campaign).await;
        self.fund(campaign, funded).await;
        (campaign, mission)
    }

    pub(crate) async fn invite(&self, mission: MissionId, creators: &[&Caller]) {
        let creators = creators.iter().map(|creator| id(creator)).collect();
        self.world
            .must(&self.sponsor, &InviteCreators { mission, creators })
            .await;
    }

    /// A creator is invited and accepts.
    pub(crate) async fn accepted(&self, mission: MissionId, creator: &Caller) -> AssignmentId {
        self.invite(mission, &[creator]).await;
        let assignment = AssignmentId::of(mission, id(creator));
        self.world.must(creator, &AcceptAssignment { assignment }).await;
        assignment
    }

    /// A creator is invited, accepts and hands in work.
    pub(crate) async fn submitted(&self, mission: MissionId, creator: &Caller) -> AssignmentId {
        let assignment = self.accepted(mission, creator).await;
        self.world.must(creator, &submission(mission)).await;
        assignment
    }

    /// A creator earned a mission's reward.
    pub(crate) async fn earned(&self, mission: MissionId, creator: &Caller) -> AssignmentId {
        let assignment = self.submitted(mission, creator).await;
        self.world.must(&self.sponsor, &approval(assignment)).await;
        assignment
    }

    pub(crate) async fn requested(&self, campaign: CampaignId, creator: &Caller, amount: &str) -> PayoutId {
        let amount = vcoin(amount);
        PayoutId(self.world.made(creator, &RequestPayout { campaign, amount }).await)
    }

    /// A payout that was requested and approved by the sponsor, within the limit.
    pub(crate) async fn approved(&self, campaign: CampaignId, creator: &Caller, amount: &str) -> PayoutId {
        let payout = self.requested(campaign, creator, amount).await;
        let approval = self.world.approval_of(payout).await;
        self.world.must(&self.sponsor, &approval).await;
        payout
    }

    /// A payout that was sent.
    pub(crate) async fn sent(&self, campaign: CampaignId, creator: &Caller, amount: &str) -> PayoutId {
        let payout = self.approved(campaign, creator, amount).await;
        self.world.must(&self.admin, &sending(payout)).await;
        payout
    }
}

pub(crate) fn submission(mission: MissionId) -> SubmitDeliverable {
    SubmitDeliverable {
        mission,
        deliverable: Deliverable {
            url: Some("https://example.com/video".to_owned()),
            stream_id: None,
            details: serde_json::Map::new(),
        },
    }
}

pub(crate) fn approval(assignment: AssignmentId) -> ReviewAssignment {
    ReviewAssignment {
        assignment,
        verdict: Verdict::Approve,
    }
}

pub(crate) fn rejection(assignment: AssignmentId) -> ReviewAssignment {
    ReviewAssignment {
        assignment,
        verdict: Verdict::Reject {
            reason: "too short".to_owned(),
        },
    }
}

pub(crate) fn sending(payout: PayoutId) -> SubmitPayout {
    SubmitPayout {
        payout,
        provider: "manual".to_owned(),
    }
}

pub(crate) fn outcome(payout: PayoutId, outcome: PayoutOutcome) -> ReportPayoutOutcome {
    ReportPayoutOutcome {
        payout,
        attempt: None,
        outcome,
    }
}

pub(crate) fn settled(payout: PayoutId) -> ReportPayoutOutcome {
    let provider_reference = Some("transfer 1".to_owned());
    outcome(payout, PayoutOutcome::Settled { provider_reference })
}

pub(crate) fn failed(payout: PayoutId, finally: bool) -> ReportPayoutOutcome {
    let reason = Some("no such account".to_owned());
    outcome(payout, PayoutOutcome::Failed { reason, finally })
}

pub(crate) fn unknown(payout: PayoutId) -> ReportPayoutOutcome {
    outcome(payout, PayoutOutcome::Unknown { reason: None })
}

/// The types of events.
pub(crate) fn types(events: &[StoredEvent]) -> Vec<&str> {
    events.iter().map(|event| event.event_type.as_ref()).collect()
}
