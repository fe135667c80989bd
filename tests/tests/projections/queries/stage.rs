//! A platform whose clock stands still until a test moves it, with a projector beside it.

use super::super::world::{PATIENCE, Running};
use async_trait::async_trait;
use chrono::{DateTime, Duration, Utc};
use serde_json::{Map, Value, json};
use std::fmt::Debug;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use uuid::Uuid;
use viral_commands::use_cases::*;
use viral_commands::{Caller, Clock, Commands, Environment, Request, RequestIdentity, Scope, Settings, UseCase};
use viral_commands::{Vault, Writer};
use viral_domain::assignment::Deliverable;
use viral_domain::campaign::Brief;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, CampaignId, MissionId, Money, PayoutId, Requirements, Sealed, Terms, UserId, Vcoin};
use viral_ledger::{Address, Amount, Asset};
use viral_projections::queries::{At, Page, QueryError, ReadModels};
use viral_projections::{Checkpoints, Projector, READ_MODELS, Unseal, UnsealError, connect};
use viral_store::{EventStore as _, Position, PostgresStore, StoredEvent};
use viral_tests::server::{Database, TestServer};

struct VaultUnseal(Vault);

#[async_trait]
impl Unseal for VaultUnseal {
    async fn unseal(&self, sealed: &[Sealed]) -> Result<Vec<Option<String>>, UnsealError> {
        self.0
            .open(sealed)
            .await
            .map_err(|error| UnsealError::Damaged(error.to_string()))
    }
}

pub struct Stage {
    pub database: Database,
    pub store: Arc<PostgresStore>,
    pub commands: Commands,
    pub projector: Projector,
    pub models: ReadModels,
    clock: Arc<Mutex<DateTime<Utc>>>,
    counter: AtomicU64,
}

impl Stage {
    /// A fresh database; nothing projects yet.
    pub async fn dark() -> Stage {
        let database = TestServer::shared().await.database().await;
        let store = database.store().await;
        let now = Arc::new(Mutex::new(at("2026-01-15T09:00:00Z")));
        let clock: Clock = {
            let now = now.clone();
            Arc::new(move || *now.lock().unwrap())
        };
        let settings = Settings {
            clock: Some(clock.clone()),
            ..Settings::default()
        };
        let (writer, _task) = Writer::start(store.clone(), settings).await.unwrap();
        let vault = Vault::new(store.clone(), &[7; 32]);
        let commands = Commands::new(writer, Terms::default(), vault.clone())
            .with_clock(clock)
            .with_environment(Environment::Development);
        let unseal = Arc::new(VaultUnseal(vault));
        Stage {
            projector: Projector::new(connect(&database.app_url).unwrap(), store.clone(), unseal),
            models: ReadModels::new(store.pool().clone(), store.clone()),
            database,
            store,
            commands,
            clock: now,
            counter: AtomicU64::new(0),
        }
    }

    /// A fresh database with a projector.
    pub async fn new() -> (Stage, Running) {
        let stage = Stage::dark().await;
        stage.projector.prepare().await.unwrap();
        let running = Running::start(stage.projector.clone());
        (stage, running)
    }

    pub fn now(&self) -> DateTime<Utc> {
        *self.clock.lock().unwrap()
    }

    /// Lets time pass until then.
    pub fn wait_until(&self, time: &str) {
        *self.clock.lock().unwrap() = at(time);
    }

    fn fresh(&self, what: &str) -> String {
        format!("{what}-{}", self.counter.fetch_add(1, Ordering::Relaxed))
    }

    /// Does something; answers its events.
    pub async fn run(&self, who: &Caller, case: &impl UseCase) -> Vec<StoredEvent> {
        let request = RequestIdentity::new("tester", &self.fresh("key"), "POST", "/", "{}");
        let outcome = self.commands.run(who, &Request::keyed(request, "request"), case).await;
        outcome.unwrap().events().to_vec()
    }

    /// Does something that creates something; answers its id.
    pub async fn made(&self, who: &Caller, case: &impl UseCase) -> Uuid {
        self.run(who, case).await[0].event_id
    }

    pub async fn user(&self, role: Role, name: &str) -> Caller {
        let profile = Profile {
            bio: String::new(),
            display_name: name.to_owned(),
            email: None,
            links: Vec::new(),
        };
        let id = self
            .made(&Caller::system("registrar"), &RegisterUser { role, profile })
            .await;
        let scope = if role == Role::Admin { Scope::Any } else { Scope::Own };
        Caller {
            name: id.to_string(),
            user: Some(UserId(id)),
            role,
            scope,
        }
    }

    /// A sponsor with so much V-Coin, one for a cent.
    pub async fn sponsor(&self, name: &str, dollars: &str) -> Caller {
        let sponsor = self.user(Role::Sponsor, name).await;
        let asset = Asset::parse("USD").unwrap();
        let amount = Amount::parse(dollars, asset).unwrap();
        let case = OnRampFiat {
            user: id(&sponsor),
            fiat: Money { amount, asset },
            fiat_entry: self.fresh("charge"),
        };
        self.run(&Caller::system("treasury"), &case).await;
        sponsor
    }

    pub async fn draft(&self, sponsor: &Caller, title: &str, campaign_type: &str, kpi: Value) -> CampaignId {
        let kpi_config = match kpi {
            Value::Object(targets) => targets,
            _ => Map::new(),
        };
        let brief = Brief {
            budget_vcoin: vcoin("5000"),
            campaign_type: campaign_type.to_owned(),
            description: "Show it to everybody.".to_owned(),
            end_at: at("2026-12-31T00:00:00Z"),
            kpi_config,
            start_at: at("2026-01-01T00:00:00Z"),
            title: title.to_owned(),
        };
        CampaignId(self.made(sponsor, &CreateCampaign { brief }).await)
    }

    /// A published campaign with so much in its escrow.
    pub async fn published(&self, sponsor: &Caller, title: &str, funded: &str) -> CampaignId {
        let campaign = self.draft(sponsor, title, "launch", json!({})).await;
        // A campaign without missions is not published.
        let deadline = (self.now() + Duration::days(10)).to_rfc3339();
        self.mission(sponsor, campaign, "1", 1, &deadline).await;
        self.run(sponsor, &PublishCampaign { campaign }).await;
        if funded != "0" {
            self.fund(sponsor, campaign, funded).await;
        }
        campaign
    }

    pub async fn fund(&self, sponsor: &Caller, campaign: CampaignId, amount: &str) {
        let amount = vcoin(amount);
        self.run(sponsor, &FundCampaign { campaign, amount }).await;
    }

    pub async fn mission(
        &self,
        sponsor: &Caller,
        campaign: CampaignId,
        reward: &str,
        places: u32,
        deadline: &str,
    ) -> MissionId {
        let case = AddMission {
            campaign,
            mission_type: "video".to_owned(),
            requirements: Requirements::parse(json!({"required": ["url"]})).unwrap(),
            reward: vcoin(reward),
            deadline: at(deadline),
            places,
        };
        MissionId(self.made(sponsor, &case).await)
    }

    pub async fn invite(&self, sponsor: &Caller, mission: MissionId, creator: &Caller) -> AssignmentId {
        let creators = vec![id(creator)];
        self.run(sponsor, &InviteCreators { mission, creators }).await;
        AssignmentId::of(mission, id(creator))
    }

    pub async fn accept(&self, sponsor: &Caller, mission: MissionId, creator: &Caller) -> AssignmentId {
        let assignment = self.invite(sponsor, mission, creator).await;
        self.run(creator, &AcceptAssignment { assignment }).await;
        assignment
    }

    pub async fn submit(&self, sponsor: &Caller, mission: MissionId, creator: &Caller) -> AssignmentId {
        let assignment = self.accept(sponsor, mission, creator).await;
        let deliverable = Deliverable {
            details: Map::new(),
            stream_id: None,
            url: Some("https://example.com/video".to_owned()),
        };
        self.run(creator, &SubmitDeliverable { mission, deliverable }).await;
        assignment
    }

    pub async fn reject(&self, sponsor: &Caller, assignment: AssignmentId) {
        let verdict = Verdict::Reject {
            reason: "too short".to_owned(),
        };
        self.run(sponsor, &ReviewAssignment { assignment, verdict }).await;
    }

    pub async fn earn(&self, sponsor: &Caller, mission: MissionId, creator: &Caller) -> AssignmentId {
        let assignment = self.submit(sponsor, mission, creator).await;
        let verdict = Verdict::Approve;
        self.run(sponsor, &ReviewAssignment { assignment, verdict }).await;
        assignment
    }

    pub async fn request_payout(&self, creator: &Caller, campaign: CampaignId, amount: &str) -> PayoutId {
        let amount = vcoin(amount);
        PayoutId(self.made(creator, &RequestPayout { campaign, amount }).await)
    }

    /// Waits until all read models have everything.
    pub async fn caught_up(&self) -> Position {
        let head = self.store.head().await.unwrap().position;
        let checkpoints = Checkpoints::new(self.store.pool().clone());
        for model in &READ_MODELS {
            checkpoints.wait_for(model.name, head, PATIENCE).await.unwrap();
        }
        head
    }

    /// The balance of an account, by the ledger itself.
    pub async fn balance(&self, address: Address) -> Vcoin {
        let balance =
            move |book: &viral_ledger::Book, _: Position| book.account(&address).map(|account| account.balance());
        let minor = self.commands.writer().read(balance).await.unwrap().unwrap();
        Vcoin(Amount::from_minor(minor).unwrap())
    }

    /// The whole log.
    pub async fn log(&self) -> Vec<StoredEvent> {
        self.store.read_after(Position::START, usize::MAX).await.unwrap()
    }
}

pub fn id(caller: &Caller) -> UserId {
    caller.user.unwrap()
}

pub fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub fn vcoin(text: &str) -> Vcoin {
    Vcoin::parse(text).unwrap()
}

pub fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// The named fields of an object.
pub fn fields(object: &impl serde::Serialize, names: &[&str]) -> Value {
    let object = json_of(object);
    let known = names
        .iter()
        .map(|name| ((*name).to_owned(), object.get(name).unwrap_or(&json!("absent")).clone()));
    Value::Object(known.collect())
}

/// All entries of a list, page by page: each page but the last is full.
pub async fn all_pages<T, K: Copy + Debug, F>(limit: usize, ask: impl Fn(Option<K>, usize) -> F) -> Vec<T>
where
    F: Future<Output = Result<At<Page<T, K>>, QueryError>>,
{
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = ask(after, limit).await.unwrap().value;
        assert!(page.next.is_none() || page.items.len() == limit, "{:?}", page.next);
        assert!(
            !page.items.is_empty() || after.is_none(),
            "an empty page after {after:?}"
        );
        all.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}
