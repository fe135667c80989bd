//! Failovers to an asynchronous standby under load: what was acknowledged last is lost with the primary. Whoever saw it
//! notices, acknowledges nothing more, and goes on only once somebody has accepted the loss.

use super::bad_luck::Luck;
use super::failover_load::Load;
use super::failover_scene::{PATIENCE, Scene};
use std::time::Duration;
use tokio::time::Instant;

/// Failovers, as part of all tests and at length.
const THAT_LOSE: (u64, u64) = (3, 20);
const THAT_LOSE_NOTHING: (u64, u64) = (1, 5);

/// How many transfers of each process are acknowledged and lost, at least, and for how long at least: what a home has
/// beside the log may be a second old, and must be of something that is lost.
const LOST: usize = 20;
const LOST_FOR: Duration = Duration::from_millis(1_500);

/// How many calls are told that the log went back before a process is believed.
const TOLD: u64 = 10;

#[tokio::test(flavor = "multi_thread")]
async fn commits_that_are_lost_are_noticed() {
    let mut luck = Luck::new("failovers that lose commits");
    let mut scene = Scene::new().await;
    let failovers = luck.times(THAT_LOSE.0, THAT_LOSE.1);
    let (mut lost, mut kills) = (0, 0);
    for failover in 1..=failovers {
        let loads = [0, 1].map(|n| Load::on(scene.nodes[n].api()));
        luck.wait(50, 400).await;
        scene.pair.caught_up().await;
        scene.pair.stop_replication().await;
        let stopped = Instant::now();
        for load in &loads {
            load.acknowledges(LOST, LOST_FOR, stopped, PATIENCE).await;
        }
        scene.pair.promote().await;
        // One that is killed together with the primary notices nothing before its next start.
        let is_killed = luck.chance.percent(50);
        if is_killed {
            scene.nodes[1].kill().await;
            kills += 1;
        }
        loads.iter().for_each(Load::is_lost);
        let (kept, seen) = (scene.head().await, loads.each_ref().map(Load::last));
        assert!(
            seen.iter().all(|seen| *seen > kept),
            "{seen:?} were seen, {kept} is kept: nothing is lost"
        );
        // The log as it is now: shorter than what was seen, about as long, longer.
        let up_to = match failover % 3 {
            1 => kept,
            2 => seen[0],
            _ => seen[0].max(seen[1]) + 100,
        };
        let found = scene.go_on_without_the_others(up_to).await;
        scene.pair.open();
        let alive = if is_killed { 1 } else { 2 };
        for n in 0..alive {
            loads[n].is_told_that_the_log_went_back(TOLD, PATIENCE).await;
            scene.nodes[n].says_that_the_log_went_back(seen[n], found).await;
        }
        let [first, second] = loads;
        let told = [first.end().await, second.end().await];
        assert_eq!(scene.head().await, found, "something was appended after what is lost");
        for n in 0..2 {
            scene.nodes[n].stop().await;
            scene.nodes[n].must_not_start(&scene.pair.url()).await;
        }
        assert_eq!(scene.head().await, found, "a start that failed appended something");
        scene.accept(&format!("failover {failover}"), kept + 1).await;
        lost += scene.repeat(told, kept).await;
        scene.pair.add_standby().await;
    }
    let amounted = scene.finish().await;
    luck.print(format!(
        "{failovers} failovers lost {lost} commits, {kills} processes were killed with the primary; {amounted}"
    ));
}

/// A failover as such is nothing to accept: the same processes go on by themselves.
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_that_loses_nothing_is_no_loss() {
    let luck = Luck::new("failovers that lose nothing");
    let mut scene = Scene::new().await;
    let failovers = luck.times(THAT_LOSE_NOTHING.0, THAT_LOSE_NOTHING.1);
    for _ in 0..failovers {
        let loads = [0, 1].map(|n| Load::on(scene.nodes[n].api()));
        let mut told = Vec::new();
        for load in loads {
            load.acknowledges(LOST, Duration::ZERO, Instant::now(), PATIENCE).await;
            told.push(load.end().await);
        }
        let kept = scene.head().await;
        scene.pair.caught_up().await;
        scene.pair.fail_over().await;
        assert_eq!(scene.head().await, kept, "something is lost");
        scene.go_on_by_themselves().await;
        assert_eq!(scene.repeat(told, kept).await, 0);
        scene.pair.add_standby().await;
    }
    let amounted = scene.finish().await;
    luck.print(format!("{failovers} failovers; {amounted}"));
}
