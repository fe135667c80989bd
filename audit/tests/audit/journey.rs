//! A story of two campaigns, told to the platform's own use cases: a purchase, work, rewards, and payouts that end in
//! every way.

use chrono::{DateTime, Duration, Utc};
use serde_json::json;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_commands::{
    Caller, Commands, Environment, Request, RequestIdentity, Scope, Settings, UseCase, Vault, Writer,
};
use viral_domain::assignment::Deliverable;
use viral_domain::campaign::Brief;
use viral_domain::fraud_flag::SourceType;
use viral_domain::payout::PayoutEvent;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, CampaignId, FlagId, MissionId, Money, PayoutId, Requirements, Terms, UserId, Vcoin};
use viral_ledger::{Amount, Asset};
use viral_store::{EventStore, MemoryStore, StoredEvent};

/// A platform in memory, on a clock that goes on by a minute with every request.
pub(crate) struct Journey {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) commands: Commands,
    clock: Arc<Mutex<DateTime<Utc>>>,
    requests: AtomicU64,
    pub(crate) admin: Caller,
    pub(crate) sponsor: Caller,
    pub(crate) first: Caller,
    pub(crate) second: Caller,
}

pub(crate) fn vcoin(text: &str) -> Vcoin {
    Vcoin::parse(text).unwrap()
}

fn user_of(caller: &Caller) -> UserId {
    caller.user.unwrap()
}

impl Journey {
    async fn new() -> Journey {
        let store = MemoryStore::new(Uuid::from_u128(7));
        let clock = Arc::new(Mutex::new("2026-03-01T09:00:00Z".parse().unwrap()));
        let time = clock.clone();
        let now: viral_commands::Clock = Arc::new(move || *time.lock().unwrap());
        let settings = Settings {
            clock: Some(now.clone()),
            ..Settings::default()
        };
        let (writer, _task) = Writer::start(Arc::new(store.clone()), settings).await.unwrap();
        let vault = Vault::new(Arc::new(store.clone()), &[7; 32]);
        let commands = Commands::new(writer, Terms::default(), vault)
            .with_clock(now)
            .with_environment(Environment::Development);
        let nobody = Caller::system("registrar");
        let mut journey = Journey {
            store: Arc::new(store),
            commands,
            clock,
            requests: AtomicU64::new(0),
            admin: nobody.clone(),
            sponsor: nobody.clone(),
            first: nobody.clone(),
            second: nobody,
        };
        journey.admin = journey.user(Role::Admin, None).await;
        journey.sponsor = journey.user(Role::Sponsor, None).await;
        journey.first = journey.user(Role::Creator, None).await;
        journey.second = journey.user(Role::Creator, Some("second@example.com")).await;
        journey
    }

    /// Asks for something that must be carried out.
    pub(crate) async fn ask(&self, who: &Caller, case: &impl UseCase) -> Vec<StoredEvent> {
        *self.clock.lock().unwrap() += Duration::minutes(1);
        let key = self.requests.fetch_add(1, Ordering::Relaxed).to_string();
        let request = Request::keyed(RequestIdentity::new("tester", &key, "POST", "/", "{}"), "story");
        let outcome = self.commands.run(who, &request, case).await.unwrap();
        assert!(!outcome.is_duplicate());
        outcome.events().to_vec()
    }

    async fn user(&self, role: Role, email: Option<&str>) -> Caller {
        let profile = Profile {
            bio: String::new(),
            display_name: format!("a {}", role.as_str()),
            email: email.map(str::to_owned),
            links: Vec::new(),
        };
        let registered = self
            .ask(&Caller::system("registrar"), &RegisterUser { role, profile })
            .await;
        let id = registered[0].event_id;
        Caller {
            name: id.to_string(),
            user: Some(UserId(id)),
            role,
            scope: if role == Role::Admin { Scope::Any } else { Scope::Own },
        }
    }

    async fn on_ramp(&self, amount: &str, fiat_entry: &str) {
        let asset = Asset::parse("USD").unwrap();
        let fiat = Money {
            amount: Amount::parse(amount, asset).unwrap(),
            asset,
        };
        let case = OnRampFiat {
            user: user_of(&self.sponsor),
            fiat,
            fiat_entry: fiat_entry.to_owned(),
        };
        self.ask(&self.admin, &case).await;
    }

    async fn campaign(&self, funded: &str) -> CampaignId {
        let now = *self.clock.lock().unwrap();
        let brief = Brief {
            budget_vcoin: vcoin("10000"),
            campaign_type: "launch".to_owned(),
            description: "Several\nlines, \"quoted\".".to_owned(),
            end_at: now + Duration::days(90),
            kpi_config: json!({"deliverables": 2, "reach": 1.5e9}).as_object().unwrap().clone(),
            start_at: now,
            title: "A launch".to_owned(),
        };
        let created = self.ask(&self.sponsor, &CreateCampaign { brief }).await;
        let campaign = CampaignId(created[0].event_id);
        let amount = vcoin(funded);
        self.ask(&self.sponsor, &FundCampaign { campaign, amount }).await;
        campaign
    }

    /// A published mission for everybody, at 2,000 V-Coin.
    async fn mission(&self, campaign: CampaignId) -> MissionId {
        let case = AddMission {
            campaign,
            mission_type: "video".to_owned(),
            requirements: Requirements::parse(json!({"required": ["url"], "maxProperties": 4})).unwrap(),
            reward: vcoin("2000"),
            deadline: *self.clock.lock().unwrap() + Duration::days(30),
            places: 2,
        };
        let mission = MissionId(self.ask(&self.sponsor, &case).await[0].event_id);
        self.ask(&self.sponsor, &PublishCampaign { campaign }).await;
        self.ask(&self.sponsor, &OpenMission { mission }).await;
        mission
    }

    async fn join(&self, creator: &Caller, mission: MissionId) -> AssignmentId {
        self.ask(creator, &JoinMission { mission }).await;
        AssignmentId::of(mission, user_of(creator))
    }

    async fn submit(&self, creator: &Caller, mission: MissionId) {
        let deliverable = Deliverable {
            details: json!({"seconds": 12.5}).as_object().unwrap().clone(),
            stream_id: None,
            url: Some("https://example.com/video".to_owned()),
        };
        self.ask(creator, &SubmitDeliverable { mission, deliverable }).await;
    }

    async fn review(&self, assignment: AssignmentId, verdict: Verdict) {
        self.ask(&self.sponsor, &ReviewAssignment { assignment, verdict }).await;
    }

    async fn request(&self, campaign: CampaignId, amount: &str) -> (PayoutId, String) {
        let amount = vcoin(amount);
        let events = self.ask(&self.first, &RequestPayout { campaign, amount }).await;
        match viral_commands::read_event(&events[0]).unwrap() {
            PayoutEvent::Requested(requested) => (requested.payout, requested.digest),
            other => panic!("{other:?}"),
        }
    }

    async fn approve(&self, who: &Caller, (payout, digest): &(PayoutId, String)) {
        let case = ApprovePayout {
            payout: *payout,
            digest: digest.clone(),
            totp: None,
        };
        self.ask(who, &case).await;
    }

    async fn pay(&self, payout: PayoutId, outcome: PayoutOutcome) {
        let provider = "manual".to_owned();
        let bank = Caller::system("bank");
        self.ask(&bank, &SubmitPayout { payout, provider }).await;
        let report = ReportPayoutOutcome {
            payout,
            attempt: None,
            outcome,
        };
        self.ask(&bank, &report).await;
    }

    /// Somebody suspects a campaign, and is wrong.
    async fn suspect(&self, campaign: CampaignId) {
        let raise = RaiseFlag {
            source_type: SourceType::Campaign,
            source_id: campaign.0,
            score: 70,
            reasons: vec!["too good".to_owned()],
        };
        let flag = FlagId(self.ask(&self.admin, &raise).await[0].event_id);
        let dismiss = ResolveFlag {
            flag,
            resolution: Resolution::Dismiss,
            note: Some("it is that good".to_owned()),
        };
        self.ask(&self.admin, &dismiss).await;
    }

    /// The whole story.
    pub(crate) async fn told() -> Journey {
        let journey = Journey::new().await;
        journey.on_ramp("100.00", "ch_17; \"first\", paid").await;
        let campaign = journey.campaign("4500").await;
        let mission = journey.mission(campaign).await;
        let first = journey.join(&journey.first, mission).await;
        journey.submit(&journey.first, mission).await;
        let reason = "too short".to_owned();
        journey.review(first, Verdict::Reject { reason }).await;
        journey.submit(&journey.first, mission).await;
        journey.review(first, Verdict::Approve).await;

        let large = journey.request(campaign, "1500").await;
        journey.approve(&journey.sponsor, &large).await;
        let rejected = journey.request(campaign, "100").await;
        journey.approve(&journey.admin, &large).await;
        let provider_reference = Some("tr_9".to_owned());
        journey
            .pay(large.0, PayoutOutcome::Settled { provider_reference })
            .await;
        let reason = "ask later".to_owned();
        let payout = rejected.0;
        journey.ask(&journey.sponsor, &RejectPayout { payout, reason }).await;
        let payout = journey.request(campaign, "100").await.0;
        let cancel = CancelPayout { payout, reason: None };
        journey.ask(&journey.first, &cancel).await;
        let failed = journey.request(campaign, "100").await;
        journey.approve(&journey.sponsor, &failed).await;
        let (reason, finally) = (None, true);
        journey.pay(failed.0, PayoutOutcome::Failed { reason, finally }).await;

        let creators = vec![user_of(&journey.second)];
        journey
            .ask(&journey.sponsor, &InviteCreators { mission, creators })
            .await;
        let assignment = AssignmentId::of(mission, user_of(&journey.second));
        journey.ask(&journey.second, &AcceptAssignment { assignment }).await;
        journey.ask(&journey.sponsor, &CloseCampaign { campaign }).await;
        let withdraw = WithdrawAssignment {
            assignment,
            reason: None,
        };
        journey.ask(&journey.second, &withdraw).await;
        journey.suspect(campaign).await;

        let idle = journey.campaign("10").await;
        journey.ask(&journey.admin, &CloseCampaign { campaign: idle }).await;
        journey
    }
}
