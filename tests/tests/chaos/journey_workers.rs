//! `viral work` is killed again and again while deadlines pass and payouts become approved: what follows by itself
//! happens, and happens once.

use super::journey::Field;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use viral_tests::journey::{Chance, Payout, Stage, check_audits, id};
use viral_tests::process::{Api, Background, Call, free_port};

const CAMPAIGNS: usize = 3;
const CREATORS: usize = 6;
/// Missions whose deadlines pass, in each campaign.
const OVERDUE: i64 = 5;
/// How long after it is offered a deadline passes, in milliseconds: until then a busy machine, too, must get all to accept.
const TO_ACCEPT: i64 = 20_000;
/// Payouts of each creator.
const PAYOUTS: usize = 4;
/// How many payouts more are approved before each kill.
const APPROVED_A_KILL: usize = 4;
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_by_itself_happens_once_whenever_the_worker_dies() {
    let (mut field, began) = (Field::new().await, Instant::now());
    let api = field.start("api", free_port()).await;
    let project = Background::start(field.home(), &["project"], field.url());
    let mut stages = Vec::new();
    let mut payouts = Vec::new();
    for _ in 0..CAMPAIGNS {
        let stage = Stage::set(&api.client, CREATORS, 1).await;
        for creator in &stage.creators {
            stage.employ(&api.client, creator, "20").await;
            for _ in 0..PAYOUTS {
                payouts.push((stages.len(), stage.ask(&api.client, creator, "4.75").await));
            }
        }
        stages.push(stage);
    }
    let mut overdue = Vec::new();
    for stage in &stages {
        overdue.extend(fall_behind(stage, &api.client).await);
    }
    let kills = kill_while_approving(&mut field, &api.client, &stages, &payouts).await;

    // The last worker lives. The first attempt of each payout fails, the second succeeds.
    let work = Background::start(field.home(), &["work", "--dev"], field.url());
    for outcome in ["failed", "settled"] {
        wait_for(&mut field, "payouts to be sent", |field| {
            let book = &field.book.campaigns;
            payouts
                .iter()
                .all(|(_, payout)| book.payouts[&payout.id] == "submitted")
        })
        .await;
        for (_, payout) in &payouts {
            let path = format!("/v1/admin/payouts/{}/outcome", payout.id);
            let operator = &stages[0].operator;
            operator
                .must(&api.client, Call::post(path, json!({"outcome": outcome})))
                .await;
        }
    }
    wait_for(&mut field, "deadlines to be kept", |field| {
        let book = &field.book.campaigns;
        let expired = overdue.iter().all(|id| book.assignments[id].0 == "expired");
        expired
            && stages
                .iter()
                .all(|stage| book.campaigns[&stage.campaign].status == "closed")
    })
    .await;
    field.book.check_escrows();
    // Each once: that none was sent or expired out of turn is checked at every event.
    assert_eq!(field.count("assignment.expired"), overdue.len() as u64);
    assert_eq!(field.count("payout.submitted"), 2 * payouts.len() as u64);
    assert_eq!(field.count("payout.settled"), payouts.len() as u64);
    work.stop().await;
    api.stop().await;
    check_audits(field.home(), field.url(), &field.store).await;
    project.stop().await;
    field.print(&format!(
        "{kills} kills of the worker in {:?}: {} assignments expired, {} payouts sent twice",
        began.elapsed(),
        overdue.len(),
        payouts.len()
    ));
}

/// Every creator accepts work with a deadline that soon passes, then the sponsor closes: the campaign waits for the work.
async fn fall_behind(stage: &Stage, api: &Api) -> Vec<String> {
    let mut overdue = Vec::new();
    for n in 0..OVERDUE {
        let places = CREATORS as u32;
        let mission = stage.add_mission(api, "4", places, TO_ACCEPT + n * 1_300, true).await;
        for creator in &stage.creators {
            let path = format!("/v1/missions/{mission}/assign");
            overdue.push(id(&creator.must(api, Call::post(path, json!({}))).await));
        }
    }
    let path = format!("/v1/campaigns/{}/close", stage.campaign);
    let closed = stage.sponsor.must(api, Call::post(path, json!({}))).await;
    assert_eq!(closed["status"], "closing");
    overdue
}

/// Approves the payouts a few at a time, with one worker or two that are killed after they have done a few things.
async fn kill_while_approving(field: &mut Field, api: &Api, stages: &[Stage], payouts: &[(usize, Payout)]) -> usize {
    let mut chance = Chance::new(4, 4);
    let mut kills = 0;
    for some in payouts.chunks(APPROVED_A_KILL) {
        let workers = 1 + chance.below(2);
        let workers: Vec<Background> = (0..workers)
            .map(|_| Background::start(field.home(), &["work", "--dev"], field.url()))
            .collect();
        field.read_on().await;
        let before = by_itself(field);
        for (stage, payout) in some {
            stages[*stage].approve(api, payout).await;
        }
        let enough = 1 + chance.below(APPROVED_A_KILL as u64 - 1) as usize;
        wait_for(field, "the worker to do something", |field| {
            by_itself(field) >= before + enough
        })
        .await;
        tokio::time::sleep(Duration::from_micros(chance.below(15_000))).await;
        for worker in workers {
            worker.kill().await;
            kills += 1;
        }
    }
    kills
}

/// How many units the platform wrote by itself.
fn by_itself(field: &Field) -> usize {
    field
        .book
        .units
        .values()
        .filter(|actor| actor.starts_with("system:"))
        .count()
}

async fn wait_for(field: &mut Field, what: &str, done: impl Fn(&Field) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        field.read_on().await;
        if done(field) {
            return;
        }
        let statuses: BTreeSet<_> = field.book.campaigns.payouts.values().collect();
        assert!(
            Instant::now() < deadline,
            "waited {PATIENCE:?} for {what}: {statuses:?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
