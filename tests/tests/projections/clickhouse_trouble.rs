//! What may happen to ClickHouse beside the log, and what is said and done about it.

use super::clickhouse::Analytics;
use super::traffic;
use super::world::World;
use serde_json::Value;
use std::os::unix::fs::PermissionsExt as _;
use tokio::runtime::Handle;
use viral_projections::ClickHouse;
use viral_tests::component::{Component, steady_port};
use viral_tests::process::{run, viral};

/// The row of the projector.
const ROW: &str = "FROM projections WHERE name = 'clickhouse'";

/// Rows of an old course of the log at these positions: of other aggregates, and of the same.
async fn insert_old_course(analytics: &Analytics<'_>, from: u64, count: u64) {
    for statement in [
        format!(
            "INSERT INTO event_rows (position, event_id, aggregate_type, aggregate_id, event_type, metadata) \
             SELECT {from} + number, generateUUIDv4(), 'old_course', 'x', 'x.happened', '{{}}' FROM numbers({count})"
        ),
        format!(
            "INSERT INTO event_rows (position, event_id, aggregate_type, aggregate_id, event_type, metadata) \
             SELECT {from} + number, generateUUIDv4(), 'book', 'x', 'book.transaction_posted', '{{}}' FROM numbers({count})"
        ),
        format!(
            "INSERT INTO ledger_entry_rows (position, posting, side, transaction_id, account, asset, amount) \
             SELECT {from} + number, 0, 'debit', generateUUIDv4(), 'old_course', 'VCOIN', 1 FROM numbers({count})"
        ),
    ] {
        analytics.execute(&statement).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_an_old_course_of_the_log_are_removed() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    traffic::write(&world, 0..10).await;
    let running = analytics.start();
    analytics.caught_up().await;
    running.stop().await;
    // A range was noted and inserted; then the log was restored, and goes on differently, with two projectors.
    let head = world.head().await.0;
    insert_old_course(&analytics, head + 1, 500).await;
    world
        .as_root(&format!(
            "UPDATE projections SET intended = {} WHERE name = 'clickhouse'",
            head + 500
        ))
        .await;
    let both = (analytics.start(), analytics.start());
    for number in 10..30 {
        traffic::write(&world, number..number + 1).await;
    }
    analytics.caught_up().await;
    analytics.holds().await;
    for (table, column) in [("event_rows", "aggregate_type"), ("ledger_entry_rows", "account")] {
        let left = format!(
            "SELECT count() FROM {table} WHERE {column} = 'old_course' AND position <= {}",
            world.head().await
        );
        assert_eq!(analytics.text(&left).await, "0", "{table}");
    }
    both.0.stop().await;
    both.1.stop().await;

    // And back: the server remembers the tokens of ranges whose rows the other course has replaced.
    analytics.execute("TRUNCATE TABLE watermark_rows").await;
    analytics.execute("TRUNCATE TABLE event_rows").await;
    let again = async || {
        world
            .as_root("UPDATE projections SET position = 0, event_id = NULL, intended = NULL WHERE name = 'clickhouse'")
            .await;
        let running = analytics.start();
        analytics.caught_up().await;
        analytics.holds().await;
        running.stop().await;
    };
    again().await;
    analytics.execute("TRUNCATE TABLE watermark_rows").await;
    analytics
        .execute(
            "INSERT INTO event_rows (position, event_id, aggregate_type, aggregate_id, event_type, metadata) \
             SELECT position, generateUUIDv4(), aggregate_type, 'x', 'x.happened', '{}' FROM event_rows WHERE position > 20",
        )
        .await;
    analytics.execute("OPTIMIZE TABLE event_rows FINAL").await;
    again().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_pass_by_itself_is_listed_until_it_goes_on() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    traffic::write(&world, 0..10).await;
    let running = analytics.start();
    analytics.caught_up().await;
    let head = world.head().await.0;
    let refusal = format!("SELECT coalesce(refusal, '') {ROW}");
    let home = tempfile::tempdir().unwrap();
    let ask = async |arguments: &[&str], url: &str| {
        let mut command = viral(home.path(), arguments);
        command
            .env("DATABASE_URL", &world.database.superuser_url)
            .env("CLICKHOUSE_URL", url);
        let (code, stdout, stderr) = run(command).await;
        let answer: Value = serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
        (code, answer)
    };
    let listed = |answer: &Value| {
        let rows = answer["projections"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == "clickhouse").unwrap().clone()
    };
    let (list, doctor) = (["projections", "list", "--json"], ["doctor", "--json"]);
    assert_eq!(world.text(&refusal).await, "");
    let (_, report) = ask(&doctor, &analytics.url).await;
    let found = &report["services"]["clickhouse"];
    assert_eq!(
        (
            found["state"].as_str(),
            found["watermark"].as_str(),
            found["lag"].as_str()
        ),
        (Some("reachable"), Some(head.to_string().as_str()), Some("0")),
        "{report}"
    );

    // The projector looks when it begins.
    running.stop().await;
    analytics
        .execute(&format!("ALTER TABLE event_rows DELETE WHERE position = {head}"))
        .await;
    let running = analytics.start();
    let lost = format!("SELECT refusal LIKE '%has nothing at position {head},%rebuild clickhouse%' {ROW}");
    world.until(&lost, "true").await;
    let (code, answer) = ask(&list, &analytics.url).await;
    assert_eq!((code, listed(&answer)["problem"].as_str()), (1, None), "{answer}");
    assert!(
        listed(&answer)["refusal"].as_str().unwrap().contains("has nothing"),
        "{answer}"
    );
    let (code, report) = ask(&doctor, &analytics.url).await;
    assert!(
        code == 1 && report["problems"].to_string().contains("held up"),
        "{report}"
    );
    // Where there is none, its row is no problem.
    let (code, answer) = ask(&list, "").await;
    assert_eq!(
        (code, listed(&answer)["configured"].as_bool()),
        (0, Some(false)),
        "{answer}"
    );
    let (_, report) = ask(&doctor, "").await;
    assert!(!report["problems"].to_string().contains("held up"), "{report}");
    analytics.projector().rebuild(&mut |_, _| {}).await.unwrap();
    world.until(&refusal, "").await;
    traffic::write(&world, 10..12).await;
    analytics.caught_up().await;
    analytics.holds().await;
    running.stop().await;

    // Another event, four before the last.
    let other = world.head().await.0 - 4;
    analytics
        .execute(&format!(
            "ALTER TABLE event_rows UPDATE event_id = generateUUIDv4() WHERE position = {other}"
        ))
        .await;
    let running = analytics.start();
    let other = format!("SELECT refusal LIKE '%has another event at position {other} %' {ROW}");
    world.until(&other, "true").await;
    analytics.projector().rebuild(&mut |_, _| {}).await.unwrap();
    world.until(&refusal, "").await;
    running.stop().await;

    // Tables that somebody made otherwise.
    analytics.execute("DROP TABLE ledger_entry_rows").await;
    analytics
        .execute("CREATE TABLE ledger_entry_rows (position UInt64) ENGINE = ReplacingMergeTree ORDER BY position")
        .await;
    let running = analytics.start();
    let sorted = format!("SELECT refusal LIKE '%ledger_entry_rows%is sorted by (position)%' {ROW}");
    world.until(&sorted, "true").await;
    let (code, report) = ask(&doctor, &analytics.url).await;
    assert!(
        code == 1 && report["problems"].to_string().contains("sorted by"),
        "{report}"
    );
    running.stop().await;
}

/// The log was restored to an earlier moment: ClickHouse has what it lost, waits for a rebuild, and stops nobody.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_events_that_the_log_lost_waits_for_a_rebuild() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    traffic::write(&world, 0..10).await;
    let running = analytics.start();
    let head = world.head().await.0;
    world.until(&format!("SELECT position = {head} {ROW}"), "true").await;
    running.stop().await;
    world.database.lose_events(5).await;
    let running = analytics.start();
    let refused = format!(
        "SELECT refusal LIKE '%is at position {head}, the log ends at {}:%rebuild clickhouse%' {ROW}",
        head - 5
    );
    world.until(&refused, "true").await;
    let list = viral_projections::list(world.store.pool(), &*world.store)
        .await
        .unwrap();
    let problem = list.into_iter().find(|status| status.name == "clickhouse").unwrap();
    let problem = problem.problem.unwrap();
    let expected =
        format!("events up to position {head} that the log lost: run `viral projections rebuild clickhouse`");
    assert!(problem.contains(&expected), "{problem}");
    analytics.projector().rebuild(&mut |_, _| {}).await.unwrap();
    world.until(&format!("SELECT coalesce(refusal, '') {ROW}"), "").await;
    analytics.holds().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_moves_the_watermark_and_one_that_ends_half_way_is_told() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    traffic::write(&world, 0..10).await;
    let running = analytics.start();
    analytics.caught_up().await;
    running.stop().await;
    // Nobody projects: the rebuild has everything, and says so.
    traffic::write(&world, 10..20).await;
    analytics.projector().rebuild(&mut |_, _| {}).await.unwrap();
    analytics.holds().await;
    let noted = format!("SELECT position || ' ' || (problem IS NULL) {ROW}");
    assert_eq!(world.text(&noted).await, format!("{} true", world.head().await));

    // The second exchange fails.
    let head = world.head().await;
    let mut lose = |at, _| {
        if at != head {
            return;
        }
        let lost = async {
            let table =
                "SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'ledger%rebuilt%'";
            let table = analytics.text(table).await;
            analytics.execute(&format!("DROP TABLE {table} SYNC")).await;
        };
        tokio::task::block_in_place(|| Handle::current().block_on(lost));
    };
    analytics.projector().rebuild(&mut lose).await.unwrap_err();
    let problem = world.text(&format!("SELECT problem {ROW}")).await;
    assert!(problem.contains("rebuild clickhouse` again"), "{problem}");
    // Half of the tables may be the new ones: nobody goes on with them.
    let resumed = analytics.projector().resume().await.unwrap_err().to_string();
    assert!(resumed.contains("rebuild clickhouse` again"), "{resumed}");
    assert_eq!(world.text(&format!("SELECT problem {ROW}")).await, problem);
    let left = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE '%rebuilt%'";
    assert_eq!(analytics.text(left).await, "0");
    let running = analytics.start();
    traffic::write(&world, 20..25).await;
    analytics.projector().rebuild(&mut |_, _| {}).await.unwrap();
    analytics.caught_up().await;
    analytics.holds().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_found_by_viral_and_shown_to_nobody() {
    let port = steady_port();
    let password = "a@b/c%: ?#d";
    let settings = vec![
        ("CLICKHOUSE_PORT", port.to_string()),
        ("CLICKHOUSE_PASSWORD", password.to_owned()),
    ];
    let component = Component::new("clickhouse", port, settings);
    component.start().await;
    for file in ["services/clickhouse", "clickhouse/address"] {
        let mode = std::fs::metadata(component.home().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let address = std::fs::read_to_string(component.home().join("services/clickhouse")).unwrap();
    let clickhouse = ClickHouse::connect(address.trim()).unwrap();
    assert!(!clickhouse.version().await.unwrap().is_empty());
    let status = component.run(&["status"]).await;
    assert!(
        status.contains(&format!("answers on http://127.0.0.1:{port} ")),
        "{status}"
    );
    let nobody = ClickHouse::connect(&format!("http://127.0.0.1:{port}")).unwrap();
    assert!(nobody.version().await.is_err());
    component.stop().await;
}

/// The deduplication window is exceeded on purpose: no token is remembered any more when everything is sent again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_after_its_token_was_forgotten_is_there_once() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    for table in ["watermark_rows", "event_rows", "ledger_entry_rows"] {
        let window = format!("ALTER TABLE {table} MODIFY SETTING non_replicated_deduplication_window = 2");
        analytics.execute(&window).await;
        // Parts that are not merged keep what was inserted twice.
        analytics.execute(&format!("SYSTEM STOP MERGES {table}")).await;
    }
    let running = analytics.start();
    for number in 0..12 {
        traffic::write(&world, number..number + 1).await;
        analytics.caught_up().await;
    }
    running.stop().await;
    let head = world.head().await.to_string();
    assert_eq!(analytics.text("SELECT count() FROM event_rows").await, head);
    // The same range, so that its tokens are the same.
    let end: u64 = analytics
        .text("SELECT min(position) FROM watermark_rows")
        .await
        .parse()
        .unwrap();
    analytics.execute("TRUNCATE TABLE watermark_rows").await;
    let forget =
        format!("UPDATE projections SET position = 0, event_id = NULL, intended = {end} WHERE name = 'clickhouse'");
    world.as_root(&forget).await;
    let running = analytics.start();
    analytics.caught_up().await;
    running.stop().await;
    let of_range = format!("SELECT count() FROM event_rows WHERE position <= {end}");
    let rows: u64 = analytics.text(&of_range).await.parse().unwrap();
    assert_eq!(rows, 2 * end, "the tokens were not forgotten");
    analytics.holds().await;
    assert_eq!(analytics.text("SELECT count() FROM events").await, head);
}
