//! Each event counts once, however often the projector is interrupted and however many of them there are.

use super::traffic;
use super::world::{Running, World};
use viral_projections::{Checkpoints, Projector};
use viral_store::Position;
use viral_tests::hold::{Hold, STOP, stop_at};

/// The connection is cut when the rows are written and the checkpoint is about to be: neither is there.
#[tokio::test(flavor = "multi_thread")]
async fn rows_and_checkpoint_are_there_together_or_not_at_all() {
    let world = World::new().await;
    world.projector.prepare().await.unwrap();
    world
        .as_root(
            "CREATE SEQUENCE cuts; GRANT USAGE ON cuts TO PUBLIC;
             CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
             BEGIN
                 PERFORM nextval('cuts');
                 PERFORM pg_terminate_backend(pg_backend_pid());
                 PERFORM pg_sleep(10);
                 RETURN NEW;
             END $$;
             CREATE TRIGGER cut BEFORE UPDATE ON projections FOR EACH ROW
                 WHEN (NEW.name = 'wallets' AND NEW.position > OLD.position) EXECUTE FUNCTION cut()",
        )
        .await;
    traffic::write(&world, 0..10).await;
    let running = world.start();
    world.until("SELECT last_value >= 3 FROM cuts", "true").await;
    assert_eq!(world.text("SELECT count(*) FROM wallet_accounts").await, "0");
    assert_eq!(
        world
            .text("SELECT position FROM projections WHERE name = 'wallets'")
            .await,
        "0"
    );
    // The others are not held up.
    let head = world.head().await;
    world.reached("users", head).await;
    world.as_root("DROP TRIGGER cut ON projections").await;
    world.caught_up().await;
    let report = world.diff().await;
    assert!(report.holds(), "{:#?}", report.differences);
    running.stop().await;
}

/// The steps of a batch, by the locks that stop a projector there: it looks where it is, writes its rows, notes where it is
/// then, and commits both.
const STEPS: [&str; 4] = [
    "SELECT FROM projections WHERE name = 'wallets' FOR UPDATE",
    "LOCK TABLE wallet_accounts_v1 IN SHARE MODE",
    "LOCK TABLE projections IN SHARE MODE",
    STOP,
];

/// A world in which a projector can be stopped at each of the steps.
async fn with_steps() -> World {
    let world = World::new().await;
    world.projector.prepare().await.unwrap();
    let commit = "CONSTRAINT TRIGGER at_commit AFTER UPDATE ON projections DEFERRABLE INITIALLY DEFERRED";
    stop_at(&world.database.superuser_url, commit, "true").await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_connections_lose_and_double_nothing() {
    let world = with_steps().await;
    let running = world.start();
    let (mut written, mut cuts) = (0, 0);
    for step in STEPS.into_iter().cycle().take(10) {
        let mut hold = Hold::of(&world.database.superuser_url, step).await;
        traffic::write(&world, written..written + 20).await;
        written += 20;
        for _ in 0..2 {
            hold.cut("viral projector").await;
            cuts += 1;
        }
        hold.release().await;
        world.caught_up().await;
    }
    assert_eq!(cuts, 20);
    let report = world.diff().await;
    assert!(report.holds(), "{:#?}", report.differences);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_projectors_share_the_work() {
    let world = World::new().await;
    let (one, other) = (world.start(), Running::start(world.another_projector()));
    traffic::write(&world, 0..100).await;
    world.caught_up().await;
    one.stop().await;
    traffic::write(&world, 100..200).await;
    world.caught_up().await;
    let third = world.start();
    other.kill().await;
    traffic::write(&world, 200..250).await;
    world.caught_up().await;
    let report = world.diff().await;
    assert!(report.holds(), "{:#?}", report.differences);
    third.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_is_killed_again_and_again_goes_on_where_it_was() {
    let world = with_steps().await;
    let mut position = Position::START;
    let checkpoints = Checkpoints::new(world.store.pool().clone());
    for (round, step) in (0_u128..).zip(STEPS.into_iter().cycle().take(12)) {
        let mut hold = Hold::of(&world.database.superuser_url, step).await;
        let running = world.start();
        traffic::write(&world, round * 30..(round + 1) * 30).await;
        hold.waits("viral projector").await;
        running.kill().await;
        hold.release().await;
        let now = checkpoints.position("wallets").await.unwrap();
        assert!(now >= position, "{now} after {position}");
        position = now;
    }
    let running = world.start();
    world.caught_up().await;
    let report = world.diff().await;
    assert!(report.holds(), "{:#?}", report.differences);
    running.stop().await;
}

/// A database that is away is waited for; a set-up that is wrong is said at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_set_up_is_said() {
    let world = World::new().await;
    let nobody = world.database.app_url.replace("viral_app:", "nobody:");
    let pool = viral_projections::connect(&nobody).unwrap();
    let projector = Projector::new(pool, world.store.clone(), world.unseal.clone());
    let error = projector.prepare().await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    let report = viral_projections::diff(world.store.pool(), world.store.as_ref(), world.unseal.as_ref()).await;
    assert!(report.unwrap_err().to_string().contains("not set up"));
}
