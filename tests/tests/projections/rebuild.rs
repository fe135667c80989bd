//! Rebuilding beside the live version.

use super::traffic;
use super::world::{PATIENCE, World};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use viral_projections::{Checkpoints, ProjectionError, READ_MODELS};
use viral_store::Position;

/// The rows of all tables, as they are read.
async fn contents(world: &World) -> Vec<String> {
    let mut rows = Vec::new();
    for table in READ_MODELS.iter().flat_map(|model| model.tables) {
        let query = format!(
            "SELECT '{}: ' || row_to_json(t)::text FROM {0} t ORDER BY id",
            table.name
        );
        rows.extend(
            sqlx::query_scalar::<_, String>(&query)
                .fetch_all(world.store.pool())
                .await
                .unwrap(),
        );
    }
    rows
}

async fn versions(world: &World) -> String {
    world
        .text("SELECT string_agg(name || ' ' || version || ' ' || state, ', ' ORDER BY name, version) FROM projections")
        .await
}

async fn tables_of(world: &World, name: &str) -> String {
    let query = format!(
        "SELECT string_agg(tablename, ', ' ORDER BY tablename) FROM pg_tables WHERE tablename ~ '^{name}_v[0-9]+$'"
    );
    world.text(&query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_gives_the_same_rows() {
    let world = World::new().await;
    let running = world.start();
    super::story::whole(&world).await;
    traffic::write(&world, 0..50).await;
    world.caught_up().await;
    let before = contents(&world).await;
    assert!(before.len() > 400);
    for model in &READ_MODELS {
        let told = Mutex::new(Vec::new());
        let mut progress = |at: Position, head: Position| told.lock().unwrap().push((at, head));
        world.projector.rebuild(model.name, &mut progress).await.unwrap();
        let head = world.head().await;
        assert_eq!(told.into_inner().unwrap().last(), Some(&(head, head)));
    }
    assert_eq!(contents(&world).await, before);
    assert_eq!(
        versions(&world).await,
        "campaigns 2 live, fraud_flags 2 live, payouts 2 live, users 2 live, wallets 2 live"
    );
    assert_eq!(tables_of(&world, "wallet_transactions").await, "wallet_transactions_v2");
    // The new tables go on where the old ones were, with their indexes.
    traffic::write(&world, 50..60).await;
    world.caught_up().await;
    assert!(world.diff().await.holds());
    let indexes = "SELECT count(*) > 2 FROM pg_indexes WHERE tablename = 'wallet_transactions_v2'";
    assert_eq!(world.text(indexes).await, "true");
    running.stop().await;
}

/// Readers never see an error, half a unit, or a position that goes back; in the end everything is as the log says.
#[tokio::test(flavor = "multi_thread")]
async fn writes_and_reads_go_on_during_rebuilds() {
    let world = Arc::new(World::new().await);
    let running = world.start();
    traffic::write(&world, 0..300).await;
    world.caught_up().await;
    let (done, written) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let writing = {
        let (world, done, written) = (world.clone(), done.clone(), written.clone());
        tokio::spawn(async move {
            let mut next = 300;
            while !done.load(Ordering::Relaxed) {
                traffic::write(&world, next..next + 20).await;
                next += 20;
                written.fetch_add(20, Ordering::Relaxed);
            }
        })
    };
    let reading = {
        let (world, done) = (world.clone(), done.clone());
        tokio::spawn(async move {
            let checkpoints = Checkpoints::new(world.store.pool().clone());
            let (mut reads, mut last) = (0, Position::START);
            while !done.load(Ordering::Relaxed) {
                let position = checkpoints.position("wallets").await.unwrap();
                assert!(position >= last, "{position} after {last}");
                last = position;
                // Both sides of each transaction are in the same unit.
                let query = "SELECT sum(CASE normal_side WHEN 'credit' THEN balance_vcoin ELSE -balance_vcoin END)::text \
                     FROM wallet_accounts";
                let sum: String = sqlx::query_scalar(query).fetch_one(world.store.pool()).await.unwrap();
                assert_eq!(sum, "0.0000");
                let query =
                    "SELECT count(*) FROM wallet_accounts JOIN wallet_transactions ON account_id = wallet_accounts.id";
                let count: i64 = sqlx::query_scalar(query).fetch_one(world.store.pool()).await.unwrap();
                assert!(count >= 600);
                reads += 1;
            }
            reads
        })
    };
    for _ in 0..2 {
        for model in &READ_MODELS {
            world.projector.rebuild(model.name, &mut |_, _| {}).await.unwrap();
        }
    }
    done.store(true, Ordering::Relaxed);
    writing.await.unwrap();
    assert!(reading.await.unwrap() > 10);
    assert!(written.load(Ordering::Relaxed) > 0);
    world.caught_up().await;
    let report = world.diff().await;
    assert!(report.holds(), "{:#?}", report.differences);
    assert_eq!(tables_of(&world, "wallet_accounts").await, "wallet_accounts_v3");
    running.stop().await;
}

/// A rebuild, stopped at its first progress until it is let go on.
fn stopped_rebuild(
    world: &World,
) -> (
    tokio::task::JoinHandle<Result<(), ProjectionError>>,
    mpsc::Receiver<()>,
    mpsc::Sender<()>,
) {
    let (begun, has_begun) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let projector = world.another_projector();
    let may_go_on = Mutex::new(may_go_on);
    let task = tokio::spawn(async move {
        let mut progress = |_: Position, _: Position| {
            let _ = begun.send(());
            // An error means that nobody will say so any more.
            tokio::task::block_in_place(|| may_go_on.lock().unwrap().recv()).unwrap_or_default();
        };
        projector.rebuild("wallets", &mut progress).await
    });
    (task, has_begun, go_on)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_rebuild_of_the_same_is_refused() {
    let world = World::new().await;
    let running = world.start();
    traffic::write(&world, 0..20).await;
    world.caught_up().await;
    let (first, has_begun, go_on) = stopped_rebuild(&world);
    tokio::task::block_in_place(|| has_begun.recv_timeout(PATIENCE)).unwrap();
    let second = world.projector.rebuild("wallets", &mut |_, _| {}).await;
    assert_eq!(second, Err(ProjectionError::RebuildInProgress("wallets".to_owned())));
    world.projector.rebuild("users", &mut |_, _| {}).await.unwrap();
    drop(go_on);
    first.await.unwrap().unwrap();
    world.projector.rebuild("wallets", &mut |_, _| {}).await.unwrap();
    assert!(
        world
            .projector
            .rebuild("nothing", &mut |_, _| {})
            .await
            .unwrap_err()
            .to_string()
            .contains("wallets")
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rebuild_that_is_killed_leaves_the_live_version_and_is_begun_anew() {
    let world = World::new().await;
    let running = world.start();
    traffic::write(&world, 0..20).await;
    world.caught_up().await;
    let (first, has_begun, go_on) = stopped_rebuild(&world);
    tokio::task::block_in_place(|| has_begun.recv_timeout(PATIENCE)).unwrap();
    first.abort();
    drop(go_on);
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(
        tables_of(&world, "wallet_holds").await,
        "wallet_holds_v1, wallet_holds_v2"
    );
    traffic::write(&world, 20..40).await;
    world.caught_up().await;
    assert!(world.diff().await.holds());

    // The server may not have noticed yet that the other one is gone.
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while let Err(error) = world.projector.rebuild("wallets", &mut |_, _| {}).await {
        assert_eq!(error, ProjectionError::RebuildInProgress("wallets".to_owned()));
        assert!(tokio::time::Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(tables_of(&world, "wallet_holds").await, "wallet_holds_v2");
    assert!(world.diff().await.holds());
    running.stop().await;
}

/// As if an older version of the program had made the tables.
#[tokio::test(flavor = "multi_thread")]
async fn another_schema_is_rebuilt_at_the_start_and_left_alone_later() {
    let world = World::new().await;
    let running = world.start();
    traffic::write(&world, 0..20).await;
    world.caught_up().await;
    // A newer program, it seems, has replaced the tables while we run.
    world
        .as_root("UPDATE projections SET schema_version = 99 WHERE name = 'users'")
        .await;
    let before = world
        .text("SELECT position FROM projections WHERE name = 'users'")
        .await;
    traffic::write(&world, 20..40).await;
    let head = world.head().await;
    world.reached("wallets", head).await;
    assert_eq!(
        world
            .text("SELECT position FROM projections WHERE name = 'users'")
            .await,
        before
    );
    let error = world.projector.resume("users").await.unwrap_err();
    assert!(
        matches!(error, ProjectionError::OtherSchema { found: 99, .. }),
        "{error}"
    );
    running.stop().await;

    world.as_root("ALTER TABLE users_v1 DROP COLUMN role CASCADE").await;
    let running = world.start();
    world
        .until(
            "SELECT version FROM projections WHERE name = 'users' AND state = 'live'",
            "2",
        )
        .await;
    world.caught_up().await;
    assert!(world.diff().await.holds());
    assert_eq!(world.text("SELECT count(*) FROM users").await, "40");
    running.stop().await;
}

/// Who reads for long does not lock others out: the replacement waits, and gives way in between.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_reader_delays_the_replacement_only() {
    let world = World::new().await;
    let running = world.start();
    traffic::write(&world, 0..20).await;
    world.caught_up().await;
    let mut reader = world.store.pool().begin().await.unwrap();
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    assert_eq!(count, 20);
    let projector = world.another_projector();
    let rebuild = tokio::spawn(async move { projector.rebuild("users", &mut |_, _| {}).await });
    world.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'DROP VIEW%users%' AND wait_event_type = 'Lock' AND datname = current_database()", "true").await;
    // Others read and the live version moves on while it waits.
    traffic::write(&world, 20..30).await;
    world.caught_up().await;
    assert_eq!(world.rows("SELECT id FROM users").await.len(), 30);
    assert!(!rebuild.is_finished());
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM users")
        .fetch_one(&mut *reader)
        .await
        .unwrap();
    assert_eq!(count, 30);
    reader.commit().await.unwrap();
    tokio::time::timeout(PATIENCE, rebuild).await.unwrap().unwrap().unwrap();
    assert!(world.diff().await.holds());
    running.stop().await;
}
