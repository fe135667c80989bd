//! Every answer is one state of the read models, also while they are written and rebuilt.

use super::super::world::PATIENCE;
use super::stage::{Stage, id};
use std::sync::atomic::{AtomicBool, Ordering};
use viral_domain::{UserId, VcoinSum};
use viral_projections::connect;
use viral_projections::queries::{QueryError, TransactionFilter};
use viral_store::Position;

#[tokio::test(flavor = "multi_thread")]
async fn answers_fit_while_tables_are_replaced() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "90.00").await;
    let campaign = stage.published(&sponsor, "A launch", "10").await;
    stage.caught_up().await;
    let done = AtomicBool::new(false);
    let write = async {
        while !done.load(Ordering::Relaxed) {
            stage.fund(&sponsor, campaign, "0.0001").await;
        }
    };
    let rebuild = async {
        for _ in 0..4 {
            stage.projector.rebuild("wallets", &mut |_, _| {}).await.unwrap();
            stage.projector.rebuild("campaigns", &mut |_, _| {}).await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
    };
    let read = async {
        let (mut last, mut answers) = (Position::START, 0);
        while !done.load(Ordering::Relaxed) {
            last = last.max(look(&stage, id(&sponsor), last).await);
            answers += 1;
        }
        assert!(answers > 10, "{answers}");
    };
    tokio::join!(write, rebuild, read);
    running.stop().await;
}

/// Does a sponsor's wallet add up, with all its transactions?
async fn look(stage: &Stage, sponsor: UserId, last: Position) -> Position {
    let filter = TransactionFilter::default();
    let answer = stage.models.wallet(sponsor, &filter, None, 5_000).await.unwrap();
    let wallet = answer.value.unwrap();
    assert!(wallet.position >= last, "{} after {last}", wallet.position);
    let newest = wallet.transactions.first().map(|row| row.balance_after);
    assert_eq!(newest, Some(wallet.balance_vcoin));
    let minor: i128 = wallet.transactions.iter().map(|row| row.amount_vcoin.0.minor()).sum();
    assert_eq!(minor, wallet.balance_vcoin.0.minor());
    let in_escrow: VcoinSum = wallet.escrow.iter().map(|escrow| escrow.balance_vcoin).sum();
    assert_eq!(in_escrow, wallet.escrow_vcoin);
    wallet.position
}

#[tokio::test(flavor = "multi_thread")]
async fn read_models_that_are_not_there_yet_are_unavailable() {
    let stage = Stage::dark().await;
    let ask = async || stage.models.user(UserId(uuid::Uuid::from_u128(1))).await;
    // More often than there are connections: a refused question must not spoil the one that it was asked on.
    for _ in 0..20 {
        let error = ask().await.unwrap_err();
        assert!(matches!(error, QueryError::Unavailable(_)), "{error}");
    }
    stage.projector.prepare().await.unwrap();
    for _ in 0..20 {
        assert_eq!(ask().await.unwrap().value, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_row_is_told_apart() {
    let (stage, running) = Stage::new().await;
    let sponsor = stage.sponsor("sponsor", "1.00").await;
    stage.caught_up().await;
    running.stop().await;
    let damage = "UPDATE users_v1 SET role = 'nobody'";
    viral_tests::server::run(&stage.database.superuser_url, damage)
        .await
        .unwrap();
    let error = stage.models.user(id(&sponsor)).await.unwrap_err();
    assert!(matches!(error, QueryError::Corrupt(_)), "{error}");
}

/// A rebuild replaces a view while it moves the checkpoint. Whoever asks meanwhile waits, and then sees both.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_waits_for_a_replacement_before_it_looks() {
    let (stage, running) = Stage::new().await;
    let head = stage.caught_up().await;
    running.stop().await;
    let mut replacement = connect(&stage.database.app_url).unwrap().begin().await.unwrap();
    let replace =
        "LOCK TABLE users IN ACCESS EXCLUSIVE MODE; UPDATE projections SET position = position + 1, event_id = NULL";
    sqlx::raw_sql(replace).execute(&mut *replacement).await.unwrap();
    let models = stage.models.clone();
    let asked = tokio::spawn(async move { models.user(UserId(uuid::Uuid::from_u128(1))).await });
    let waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'users'::regclass)";
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !sqlx::query_scalar::<_, bool>(waiting)
        .fetch_one(stage.store.pool())
        .await
        .unwrap()
    {
        assert!(
            !asked.is_finished() && tokio::time::Instant::now() < deadline,
            "nobody waits"
        );
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    replacement.commit().await.unwrap();
    let answer = asked.await.unwrap().unwrap();
    assert_eq!(answer.position, head.next());
}
