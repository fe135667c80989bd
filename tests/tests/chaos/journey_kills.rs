//! kill -9 of `viral up` while 64 clients are in one campaign. Each sends what was not answered again, with its key.

use super::journey::{CREATORS, Field};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use viral_tests::journey::{Chance, Crowd, Done, Person, Stage, Until, id};
use viral_tests::process::{Api, Call, Platform, free_port};

/// Campaigns, and how often the platform dies during each.
const CAMPAIGNS: u64 = 5;
const KILLS: u64 = 4;
/// The most calls of a client in one campaign: the race goes on for as long as the kills do.
const CALLS: u32 = 300;
/// So much money that funding succeeds to the end: something must be written when the process dies.
const WEALTH: u64 = 1_000;
/// The time between two calls for the same thing, while it is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_the_rest_happens_once() {
    let (mut field, port, began) = (Field::new().await, free_port(), Instant::now());
    let mut platform = field.start("up", port).await;
    let (mut all, mut chance) = (Vec::new(), Chance::new(9, 9));
    for seed in 1..=CAMPAIGNS {
        let stage = Arc::new(Stage::set(&platform.client, CREATORS, WEALTH).await);
        let after = field.read_on().await;
        let told = Arc::new(AtomicBool::new(false));
        let crowd = Crowd {
            apis: vec![platform.client.clone()],
            seed,
            insist: true,
            until: Until::Told(told.clone(), CALLS),
        };
        let race = tokio::spawn({
            let stage = stage.clone();
            async move { crowd.race(&stage).await }
        });
        let mut done = Vec::new();
        for kill in 0..KILLS {
            let overdue = match kill {
                0 => Some(Overdue::arrange(&stage, &platform.client, &mut done).await),
                _ => None,
            };
            // A moment that differs from kill to kill.
            tokio::time::sleep(Duration::from_millis(30 + chance.below(250))).await;
            platform.kill().await;
            if let Some(overdue) = &overdue {
                tokio::time::sleep_until(overdue.deadline).await;
            }
            platform = field.start("up", port).await;
            if let Some(overdue) = overdue {
                overdue.check_expired(&mut field).await;
            }
        }
        told.store(true, Ordering::Relaxed);
        done.extend(race.await.unwrap());
        field.finish(&stage, &platform.client, &done, after).await;
        all.extend(done);
    }
    let unanswered = all.iter().filter(|done| done.sent > 1).count();
    let found = all.iter().filter(|done| done.sent > 1 && done.answer.replayed).count();
    let replayed = repeat_all(&platform, all).await;
    platform.stop().await;
    field.print(&format!(
        "{} kills in {:?}: {unanswered} calls were sent again, {found} of them had been done unanswered; {replayed} replayed",
        CAMPAIGNS * KILLS,
        began.elapsed()
    ));
    assert!(
        unanswered as u64 > CAMPAIGNS * KILLS,
        "hardly a call was in flight when the process died"
    );
}

/// An assignment whose deadline passes while the platform is down.
struct Overdue {
    assignment: String,
    deadline: tokio::time::Instant,
}

impl Overdue {
    /// On a busy machine the deadline may pass before somebody has the place: then there is another mission, with more
    /// time.
    async fn arrange(stage: &Stage, api: &Api, done: &mut Vec<Done>) -> Overdue {
        for ahead in [1_500, 3_000, 6_000, 12_000, 24_000] {
            if let Some(overdue) = Overdue::try_arrange(stage, api, done, ahead).await {
                return overdue;
            }
        }
        panic!("nobody gets a place within 24 s");
    }

    async fn try_arrange(stage: &Stage, api: &Api, done: &mut Vec<Done>, ahead: u64) -> Option<Overdue> {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(ahead);
        let body = json!({
            "mission_type": "post", "reward_vcoin": "1", "deadline": viral_tests::journey::in_millis(ahead as i64),
        });
        let path = format!("/v1/campaigns/{}/missions", stage.campaign);
        let added = until_done(&stage.sponsor, stage, api, &path, body, done).await?;
        let path = format!("/v1/missions/{}/assign", id(&added));
        let body = json!({"open_call": true});
        until_done(&stage.sponsor, stage, api, &path, body, done).await?;
        let creator = &stage.creators[0];
        let joined = until_done(creator, stage, api, &path, json!({}), done).await?;
        Some(Overdue {
            assignment: id(&joined),
            deadline,
        })
    }

    async fn check_expired(&self, field: &mut Field) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            field.read_on().await;
            let (status, _) = &field.book.campaigns.assignments[&self.assignment];
            if status == "expired" {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "{} is {status} long after its deadline",
                self.assignment
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// Does something that the race may be in the way of: the campaign may be paused, or its money spent. Nothing if the
/// deadline of the mission has passed meanwhile.
async fn until_done(
    who: &Person,
    stage: &Stage,
    api: &Api,
    path: &str,
    body: serde_json::Value,
    done: &mut Vec<Done>,
) -> Option<serde_json::Value> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answered = who.insist(api, &Call::post(path, body.clone())).await;
        let (success, body) = (answered.answer.status.is_success(), answered.answer.body.clone());
        done.push(answered);
        if success {
            return Some(body);
        }
        if body["code"] == "deadline_passed" || body["code"] == "invalid_mission" {
            return None;
        }
        assert!(Instant::now() < deadline, "{path}: {body}");
        for (end, body) in [("publish", json!({})), ("fund", json!({"amount_vcoin": "1"}))] {
            let path = format!("/v1/campaigns/{}/{end}", stage.campaign);
            done.push(stage.sponsor.insist(api, &Call::post(path, body)).await);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Everything that was acknowledged is asked for again: the same answers come, from the log.
async fn repeat_all(platform: &Platform, all: Vec<Done>) -> usize {
    let written: Arc<Vec<Done>> = Arc::new(all.into_iter().filter(Done::wrote).collect());
    let callers: Vec<_> = (0..16)
        .map(|n| {
            let (written, api) = (written.clone(), platform.client.clone());
            tokio::spawn(async move {
                for done in written.iter().skip(n).step_by(16) {
                    let again = api.send(&done.token, &done.call).await.unwrap();
                    assert!(again.replayed, "{done:?} was done again: {again:?}");
                    assert_eq!(
                        (again.status, &again.text),
                        (done.answer.status, &done.answer.text),
                        "{done:?}"
                    );
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
    written.len()
}
