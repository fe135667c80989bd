//! The read models: how fast they follow a log, and how fast and with how much memory they are rebuilt.

use super::rebuild_process;
use super::report::ProjectionReport;
use super::server::Server;
use crate::Error;
use crate::unseal::VaultUnseal;
use sqlx::Row as _;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use uuid::Uuid;
use viral_commands::use_cases::{
    AcceptAssignment, AddMission, CreateCampaign, FundCampaign, InviteCreators, OnRampFiat, Profile, PublishCampaign,
    RegisterUser, ReviewAssignment, SubmitDeliverable, Verdict,
};
use viral_commands::{
    Caller, CommandError, Commands, Environment, Outcome, Request, Scope, Settings, UseCase, Vault, Writer,
};
use viral_domain::assignment::Deliverable;
use viral_domain::campaign::Brief;
use viral_domain::user::Role;
use viral_domain::{AssignmentId, CampaignId, MissionId, Money, Requirements, Terms, UserId, Vcoin};
use viral_ledger::{Amount, Asset};
use viral_projections::{Projector, READ_MODELS};
use viral_store::EventStore;

/// How many campaigns go on at once.
const CAMPAIGNS: usize = 64;
pub(super) const MASTER_KEY: [u8; 32] = [7; 32];

pub(super) async fn measure(server: &Server, events: u64) -> Result<ProjectionReport, Error> {
    let (store, url) = server.log().await?;
    let log: Arc<dyn EventStore> = store.clone();
    let vault = Vault::new(store.clone(), &MASTER_KEY);
    eprintln!("filling a log with {events} events of campaigns");
    let began = Instant::now();
    fill(log.clone(), vault.clone(), events).await?;
    let events = log.head().await?.position.0;
    let use_cases_per_second = events as f64 / began.elapsed().as_secs_f64();

    eprintln!("following it from its beginning");
    let projector = Projector::new(
        viral_projections::connect(&url)?,
        log.clone(),
        Arc::new(VaultUnseal(vault.clone())),
    );
    server.settle().await?;
    let began = Instant::now();
    follow(&projector, store.pool(), events).await?;
    let follow_per_second = events as f64 / began.elapsed().as_secs_f64();

    server.settle().await?;
    eprintln!("rebuilding all of them");
    let rebuilt = rebuild_process::run(server, &url, "all", &[], None).await?;
    eprintln!("comparing the read models with the log");
    let began = Instant::now();
    let report = viral_projections::diff(store.pool(), log.as_ref(), &VaultUnseal(vault)).await?;
    if !report.holds() {
        return Err(Error::Other(format!(
            "the read models of the benchmark do not hold: {report:?}"
        )));
    }
    Ok(ProjectionReport {
        events,
        rows: report.compared.iter().map(|compared| compared.rows).sum(),
        use_cases_per_second,
        follow_per_second,
        rebuild_per_second: events as f64 / rebuilt.seconds,
        rebuild_peak_memory_mib: rebuilt.peak_mib,
        diff_per_second: events as f64 / began.elapsed().as_secs_f64(),
    })
}

/// All read models at once, as in a platform, until each is at the end.
async fn follow(projector: &Projector, pool: &sqlx::PgPool, events: u64) -> Result<(), Error> {
    let (stop, stopped) = watch::channel(false);
    let running = projector.clone();
    let task = tokio::spawn(async move { running.run(stopped).await });
    let done = i64::try_from(events).unwrap_or(i64::MAX);
    let count = i64::try_from(READ_MODELS.len()).unwrap_or(i64::MAX);
    loop {
        let statement = "SELECT count(*) FROM projections WHERE state = 'live' AND position >= $1";
        let row = sqlx::query(statement).bind(done).fetch_one(pool).await;
        let row = row.map_err(|e| Error::Other(format!("the checkpoints: {e}")))?;
        if row.try_get::<i64, _>(0).is_ok_and(|at_the_end| at_the_end == count) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let _ = stop.send(true);
    let ended = task.await.map_err(|e| Error::Other(e.to_string()))?;
    Ok(ended?)
}

/// Campaigns in which creators take part one after the other, until the log is long enough.
pub(super) async fn fill(store: Arc<dyn EventStore>, vault: Vault, events: u64) -> Result<(), Error> {
    let (writer, task) = Writer::start(store.clone(), Settings::default()).await?;
    let commands = Commands::new(writer, Terms::default(), vault).with_environment(Environment::Development);
    let campaigns: Vec<_> = (0..CAMPAIGNS)
        .map(|_| {
            let (commands, store) = (commands.clone(), store.clone());
            tokio::spawn(async move {
                let campaign = BenchCampaign::begin(&commands).await?;
                while store.head().await?.position.0 < events {
                    campaign.one_creator(&commands).await?;
                }
                Ok::<(), CommandError>(())
            })
        })
        .collect();
    for campaign in campaigns {
        let ended = campaign.await.map_err(|e| Error::Other(e.to_string()))?;
        ended.map_err(|e| Error::Other(format!("filling the log: {e}")))?;
    }
    drop(commands);
    // It ends with its last handle; a panic in it would have failed the campaigns.
    let _ = task.await;
    Ok(())
}

struct BenchCampaign {
    sponsor: Caller,
    campaign: CampaignId,
    mission: MissionId,
}

impl BenchCampaign {
    async fn begin(commands: &Commands) -> Result<BenchCampaign, CommandError> {
        let sponsor = user(commands, Role::Sponsor).await?;
        let fiat = Money {
            amount: Amount::from_minor(100_000_000).unwrap_or(Amount::ZERO),
            asset: Terms::default().fiat,
        };
        let case = OnRampFiat {
            user: sponsor.user.unwrap_or(UserId(Uuid::nil())),
            fiat,
            fiat_entry: Uuid::now_v7().to_string(),
        };
        run(commands, &sponsor, &case).await?;
        let now = commands.now();
        let brief = Brief {
            budget_vcoin: coins(10_000_000),
            campaign_type: "bench".to_owned(),
            description: "A campaign of the benchmark.".to_owned(),
            end_at: now + chrono::Duration::days(30),
            kpi_config: serde_json::Map::new(),
            start_at: now,
            title: "Bench".to_owned(),
        };
        let campaign = CampaignId(run(commands, &sponsor, &CreateCampaign { brief }).await?);
        let case = AddMission {
            campaign,
            mission_type: "video".to_owned(),
            requirements: Requirements::default(),
            reward: coins(10),
            deadline: now + chrono::Duration::days(20),
            places: 10_000,
        };
        let mission = MissionId(run(commands, &sponsor, &case).await?);
        run(commands, &sponsor, &PublishCampaign { campaign }).await?;
        Ok(BenchCampaign {
            sponsor,
            campaign,
            mission,
        })
    }

    /// Somebody registers, is invited, accepts, hands in and is paid.
    async fn one_creator(&self, commands: &Commands) -> Result<(), CommandError> {
        let (campaign, mission) = (self.campaign, self.mission);
        let amount = coins(10);
        run(commands, &self.sponsor, &FundCampaign { campaign, amount }).await?;
        let creator = user(commands, Role::Creator).await?;
        let id = creator.user.unwrap_or(UserId(Uuid::nil()));
        let creators = vec![id];
        run(commands, &self.sponsor, &InviteCreators { mission, creators }).await?;
        let assignment = AssignmentId::of(mission, id);
        run(commands, &creator, &AcceptAssignment { assignment }).await?;
        let deliverable = Deliverable {
            details: serde_json::Map::new(),
            stream_id: None,
            url: Some("https://example.org/work".to_owned()),
        };
        run(commands, &creator, &SubmitDeliverable { mission, deliverable }).await?;
        let verdict = Verdict::Approve;
        run(commands, &self.sponsor, &ReviewAssignment { assignment, verdict }).await?;
        Ok(())
    }
}

async fn user(commands: &Commands, role: Role) -> Result<Caller, CommandError> {
    let profile = Profile {
        bio: String::new(),
        display_name: "Somebody".to_owned(),
        email: None,
        links: Vec::new(),
    };
    let operator = Caller::system("bench");
    let id = UserId(run(commands, &operator, &RegisterUser { role, profile }).await?);
    Ok(Caller {
        name: id.to_string(),
        user: Some(id),
        role,
        scope: Scope::Own,
    })
}

/// Carries out a use case; answers the unit's id, which is the id of what it creates.
async fn run<U: UseCase>(commands: &Commands, caller: &Caller, case: &U) -> Result<Uuid, CommandError> {
    let id = Uuid::now_v7();
    let request = Request::consequence("bench", &[id.as_bytes()], None);
    let _: Outcome = commands.run(caller, &request, case).await?;
    Ok(request.unit_id)
}

fn coins(whole: i128) -> Vcoin {
    let minor = whole * 10_i128.pow(u32::from(Asset::VCOIN.scale()));
    Vcoin(Amount::from_minor(minor).unwrap_or(Amount::ZERO))
}
