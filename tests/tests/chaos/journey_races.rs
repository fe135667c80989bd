//! 64 clients fund, accept, deliver, review, pay out, approve and close the same campaign at once.

use super::journey::{CREATORS, Field, seeds};
use std::sync::Arc;
use std::time::Instant;
use viral_tests::journey::{CLIENTS, Crowd, Stage, Until};
use viral_tests::process::{Api, Background, free_port};

/// Calls of each client in a race.
const CALLS: u32 = 20;

async fn race(field: &mut Field, apis: &[Api], seed: u64) {
    let stage = Arc::new(Stage::set(&apis[0], CREATORS, 1).await);
    let after = field.read_on().await;
    let crowd = Crowd {
        apis: apis.to_vec(),
        seed,
        insist: false,
        until: Until::Calls(CALLS),
    };
    let done = crowd.race(&stage).await;
    field.finish(&stage, &apis[0], &done, after).await;
}

/// The races must have been about something: otherwise nothing was tested.
fn check_that_much_happened(field: &Field, races: u64) {
    for (event_type, least) in [
        ("campaign.closed", 1),
        ("campaign.place_taken", 5),
        ("campaign.reward_paid", 2),
        ("payout.requested", 1),
        ("payout.approved", 1),
    ] {
        let count = field.count(event_type);
        assert!(count >= least * races, "{count} {event_type} in {races} races");
    }
    assert!(
        field.tally.successes() * 10 > field.tally.count(),
        "hardly a call succeeded"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_race_for_one_campaign() {
    let (mut field, port, began) = (Field::new().await, free_port(), Instant::now());
    let platform = field.start("up", port).await;
    let races = seeds(20);
    for seed in 1..=races {
        let before = Instant::now();
        race(&mut field, std::slice::from_ref(&platform.client), seed).await;
        println!("seed {seed} held after {:?}", before.elapsed());
    }
    platform.stop().await;
    field.print(&format!("{races} races of {CLIENTS} clients in {:?}", began.elapsed()));
    check_that_much_happened(&field, races);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_in_processes_of_their_own_race_the_same() {
    let (mut field, began) = (Field::new().await, Instant::now());
    let (first, second) = (free_port(), free_port());
    let first = field.start("api", first).await;
    let second = field.start("api", second).await;
    let project = Background::start(field.home(), &["project"], field.url());
    let work = Background::start(field.home(), &["work", "--dev"], field.url());
    let apis = [first.client.clone(), second.client.clone()];
    let races = seeds(20).div_ceil(5);
    for seed in 1..=races {
        race(&mut field, &apis, 1_000 + seed).await;
    }
    first.stop().await;
    second.stop().await;
    work.stop().await;
    project.stop().await;
    field.print(&format!("{races} races over two APIs in {:?}", began.elapsed()));
    check_that_much_happened(&field, races);
}
