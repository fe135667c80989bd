//! ClickHouse beside the log: every row is there once, whatever is interrupted, and a comparison finds what was changed.

use super::story::{self, CAMPAIGN, CREATOR, FLAG, MISSION, id};
use super::traffic;
use super::world::{PATIENCE, World};
use clickhouse::Client;
use std::path::Path;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use viral_projections::{ClickHouse, ClickHouseProjector, ClickHouseReport, ProjectionError, connect};
use viral_store::{EventStore as _, Position};
use viral_tests::clickhouse::{Engine, client};
use viral_tests::hold::{Hold, STOP, stop_at};

pub struct Analytics<'a> {
    world: &'a World,
    pub clickhouse: ClickHouse,
    pub url: String,
    client: Client,
}

pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl<'a> Analytics<'a> {
    /// A database of its own, migrated.
    pub async fn new(world: &'a World) -> Analytics<'a> {
        let url = Engine::shared().await.database();
        let clickhouse = ClickHouse::connect(&url).unwrap();
        clickhouse.migrate().await.unwrap();
        world.projector.prepare().await.unwrap();
        Analytics {
            world,
            clickhouse,
            client: client(&url),
            url,
        }
    }

    /// Runs the notebook of the documentation over it.
    pub async fn notebook(&self) {
        let Some(venv) = std::env::var_os("VIRAL_TEST_VENV") else {
            println!("NOT RUN: the notebook needs the Python of VIRAL_TEST_VENV");
            return;
        };
        let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../docs/notebooks");
        let ran = tokio::process::Command::new(Path::new(&venv).join("bin/python"))
            .args(["-B", "run.py", "analytics.ipynb"])
            .current_dir(folder)
            .env("CLICKHOUSE_URL", &self.url)
            .env_remove("CLICKHOUSE_USER")
            .env_remove("CLICKHOUSE_PASSWORD")
            .output()
            .await
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(ran.status.success(), "{}\n{}", text(&ran.stdout), text(&ran.stderr));
        assert!(text(&ran.stdout).contains("cells ran"), "{}", text(&ran.stdout));
    }

    pub fn projector(&self) -> ClickHouseProjector {
        let pool = connect(&self.world.database.app_url).unwrap();
        ClickHouseProjector::new(self.clickhouse.clone(), pool, self.world.store.clone())
    }

    pub fn start(&self) -> Running {
        let (stop, stopped) = watch::channel(false);
        let projector = self.projector();
        let task = tokio::spawn(async move { projector.run(stopped).await });
        Running { stop, task }
    }

    /// Waits until the watermark is at the end of the log.
    pub async fn caught_up(&self) {
        let (head, deadline) = (self.world.head().await, Instant::now() + PATIENCE);
        loop {
            let found = self.clickhouse.watermark().await.unwrap().map(|(_, position)| position);
            if found == Some(head) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "the watermark is {found:?}, the log ends at {head}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub async fn diff(&self) -> ClickHouseReport {
        self.clickhouse
            .diff(self.world.store.as_ref(), &mut |_, _| {})
            .await
            .unwrap()
    }

    pub async fn holds(&self) -> ClickHouseReport {
        let report = self.diff().await;
        assert!(report.holds(), "{:#?}", report.differences);
        assert_eq!(report.position, self.world.head().await);
        report
    }

    pub async fn execute(&self, statement: &str) {
        self.client
            .query_raw(statement)
            .with_setting("mutations_sync", "2")
            .execute()
            .await
            .unwrap();
    }

    /// One value, as text.
    pub async fn text(&self, query: &str) -> String {
        let query = format!("SELECT assumeNotNull(toString(({query})))");
        self.client.query_raw(&query).fetch_one::<String>().await.unwrap()
    }
}

impl Running {
    pub async fn stop(self) {
        self.stop.send_replace(true);
        tokio::time::timeout(PATIENCE, self.task).await.unwrap().unwrap();
    }

    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_views_say_what_the_log_and_the_read_models_say() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    // Twice is as good as once.
    assert_eq!(analytics.clickhouse.migrate().await.unwrap(), [""; 0]);
    let (running, models) = (analytics.start(), world.start());
    story::whole(&world).await;
    analytics.caught_up().await;
    world.caught_up().await;
    let report = analytics.holds().await;
    assert_eq!(report.events, world.head().await.0);
    assert!(report.entries > 10 && report.sums > 5, "{report:?}");
    assert_eq!(
        analytics.text("SELECT count() FROM events").await,
        report.events.to_string()
    );

    let campaign = id(CAMPAIGN);
    let ours = world
        .row(&format!(
            "SELECT sponsor_id, type, title, status, budget_vcoin::text, funded_vcoin::text, paid_vcoin::text, \
             returned_vcoin::text FROM campaigns WHERE id = '{campaign}'"
        ))
        .await;
    for (column, theirs) in [
        ("sponsor_id", "toString(sponsor_id)"),
        ("type", "campaign_type"),
        ("title", "title"),
        ("status", "status"),
        ("budget_vcoin", "toDecimalString(budget_vcoin, 4)"),
        ("funded_vcoin", "toDecimalString(funded_vcoin, 4)"),
        ("paid_vcoin", "toDecimalString(paid_vcoin, 4)"),
        ("returned_vcoin", "toDecimalString(returned_vcoin, 4)"),
    ] {
        let found = analytics
            .text(&format!(
                "SELECT {theirs} FROM campaigns WHERE campaign_id = '{campaign}'"
            ))
            .await;
        assert_eq!(ours[column].as_str(), Some(found.as_str()), "{column}");
    }
    let mission = id(MISSION);
    let ours = world
        .row(&format!(
            "SELECT concat_ws('|', campaign_id, mission_type, status, open_call, places, places_taken) AS all \
             FROM campaign_missions WHERE id = '{mission}'"
        ))
        .await;
    let found = analytics
        .text(&format!(
            "SELECT concatWithSeparator('|', toString(campaign_id), mission_type, status, if(open_call, 't', 'f'), \
             toString(places), toString(places_taken)) FROM missions WHERE mission_id = '{mission}'"
        ))
        .await;
    assert_eq!(ours["all"].as_str(), Some(found.as_str()));
    let ours = world
        .row(&format!(
            "SELECT concat_ws('|', source_id, score, resolution_status) AS all FROM fraud_flags WHERE id = '{}'",
            id(FLAG)
        ))
        .await;
    let found = analytics
        .text(&format!(
            "SELECT concatWithSeparator('|', toString(source_id), toString(score), status) FROM fraud_signals \
             WHERE flag_id = '{}'",
            id(FLAG)
        ))
        .await;
    assert_eq!(ours["all"].as_str(), Some(found.as_str()));
    let balance = world
        .row(&format!(
            "SELECT balance_vcoin::text AS all FROM wallet_accounts WHERE user_id = '{}' AND kind = 'wallet'",
            id(CREATOR)
        ))
        .await;
    let found = analytics
        .text(&format!(
            "SELECT toDecimalString(argMax(balance, day), 4) FROM ledger_balances_daily WHERE asset = 'VCOIN' \
             AND account LIKE '%{}%' AND account NOT LIKE '%pending%'",
            id(CREATOR)
        ))
        .await;
    assert_eq!(balance["all"].as_str(), Some(found.as_str()));
    let creators = "SELECT count() FROM creators WHERE verification != 'unverified' AND rewards_paid > 0";
    assert_eq!(analytics.text(creators).await, "1");
    // The queries of the documentation, those about measurements too.
    let measured = story::measured(campaign, id(CREATOR));
    analytics.clickhouse.insert_measurements(&[measured]).await.unwrap();
    let docs = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../docs/ANALYTICS.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let queries: Vec<&str> = docs
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(queries.len() >= 12, "{}", queries.len());
    for query in queries {
        let mut answer = analytics.client.query_raw(query).fetch_bytes("JSONEachRow").unwrap();
        let rows = answer
            .collect()
            .await
            .unwrap_or_else(|error| panic!("{query}: {error}"));
        let is_optional = query.contains("platform:fees") || query.contains("correlation_id");
        assert!(is_optional || !rows.is_empty(), "{query}");
    }
    // Debits and credits are equal in every asset.
    let unbalanced =
        "SELECT count() FROM (SELECT asset FROM ledger_entries GROUP BY asset HAVING sum(debit) != sum(credit))";
    assert_eq!(analytics.text(unbalanced).await, "0");
    // Every table, view and column says what it is.
    for query in [
        "SELECT count() FROM system.tables WHERE database = currentDatabase() AND comment = ''",
        "SELECT count() FROM system.columns WHERE database = currentDatabase() AND comment = ''",
    ] {
        assert_eq!(analytics.text(query).await, "0", "{query}");
    }
    // What an analyst's session is set to changes nothing.
    for view in [
        "events",
        "ledger_entries",
        "ledger_balances_daily",
        "campaigns",
        "missions",
        "creators",
        "fraud_signals",
        "engagement_metrics",
        "campaign_performance",
        "creator_performance",
    ] {
        let rows = async |settings: &[&str]| {
            let query = format!("SELECT * FROM {view} ORDER BY ALL");
            let query = analytics.client.query_raw(&query);
            let query = settings
                .iter()
                .fold(query, |query, name| query.with_setting(*name, "1"));
            let rows = query.fetch_bytes("JSONEachRow").unwrap().collect().await;
            rows.unwrap_or_else(|error| panic!("{view} with {settings:?}: {error}"))
        };
        let settings = [
            "join_use_nulls",
            "aggregate_functions_null_for_empty",
            "group_by_use_nulls",
        ];
        let as_usual = rows(&[]).await;
        assert!(!as_usual.is_empty(), "{view}");
        assert_eq!(rows(&settings).await, as_usual, "{view}");
    }
    running.stop().await;
    models.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projector_that_dies_anywhere_leaves_nothing_out_and_nothing_twice() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    let url = &world.database.superuser_url;
    let moves = "NEW.name = 'clickhouse' AND NEW.position > OLD.position";
    stop_at(url, "TRIGGER at_move BEFORE UPDATE ON projections", moves).await;
    let noted = "SELECT position FROM projections WHERE name = 'clickhouse'";
    let all_is_noted = async || {
        let running = analytics.start();
        analytics.caught_up().await;
        world.until(noted, &world.head().await.to_string()).await;
        running.stop().await;
    };
    traffic::write(&world, 0..20).await;
    all_is_noted().await;
    // Before it has noted a range, and when it has inserted one and not noted that.
    let steps = [(false, "LOCK TABLE projections IN SHARE MODE"), (true, STOP)];
    for (round, (is_inserted, lock)) in (1..=12).zip(steps.into_iter().cycle()) {
        let mut hold = Hold::of(url, lock).await;
        let running = analytics.start();
        traffic::write(&world, round * 20..(round + 1) * 20).await;
        hold.waits("viral projector").await;
        running.kill().await;
        // So that what it has asked for last does not happen after its death.
        hold.cut("viral projector").await;
        hold.release().await;
        let position = world.text(noted).await;
        let behind = format!("SELECT count() > 0 FROM event_rows WHERE position > {position}");
        let behind = analytics.text(&behind).await;
        assert_eq!(
            behind,
            u8::from(is_inserted).to_string(),
            "round {round}: behind {position}"
        );
        if is_inserted {
            all_is_noted().await;
        }
    }
    let running = analytics.start();
    analytics.caught_up().await;
    analytics.holds().await;
    running.stop().await;
    // The note of where it is was lost, and everything is sent again, in other ranges.
    world
        .as_root("UPDATE projections SET position = 0, event_id = NULL, intended = NULL WHERE name = 'clickhouse'")
        .await;
    analytics.execute("TRUNCATE TABLE watermark_rows").await;
    let running = analytics.start();
    analytics.caught_up().await;
    analytics.holds().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_names_the_first_position_that_differs() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    let running = analytics.start();
    story::whole(&world).await;
    analytics.caught_up().await;
    running.stop().await;
    analytics.holds().await;
    let entry: u64 = analytics
        .text("SELECT min(position) FROM ledger_entries")
        .await
        .parse()
        .unwrap();
    for (statement, table, first) in [
        (
            "ALTER TABLE event_rows UPDATE payload = concat(payload, ' ') WHERE position = 7",
            "events",
            7,
        ),
        ("ALTER TABLE event_rows DELETE WHERE position = 5", "events", 5),
        (
            "CREATE OR REPLACE VIEW events AS SELECT * FROM event_rows_once \
             WHERE position <= (SELECT max(position) FROM watermark_rows) AND position != 3",
            "events",
            3,
        ),
        (
            "INSERT INTO ledger_entry_rows (position, transaction_id, account, asset) \
             SELECT 0, generateUUIDv4(), 'nobody', 'VCOIN'",
            "ledger_entries",
            0,
        ),
    ] {
        analytics.execute(statement).await;
        let report = analytics.diff().await;
        assert_eq!(report.first(), Some(Position(first)), "{statement}: {report:#?}");
        assert!(report.differences.iter().any(|difference| difference.table == table));
    }
    let statement = format!("ALTER TABLE ledger_entry_rows UPDATE amount = amount + 0.0001 WHERE position = {entry}");
    analytics.execute(&statement).await;
    let report = analytics.diff().await;
    let tables: Vec<&str> = report.differences.iter().map(|difference| difference.table).collect();
    assert!(
        tables.contains(&"ledger_entries") && tables.contains(&"ledger_entries in sum"),
        "{tables:?}"
    );

    // A rebuild mends it, while nobody projects and while somebody does. Views are made anew by whoever changed them.
    analytics
        .execute(
            "CREATE OR REPLACE VIEW events AS SELECT * FROM event_rows_once \
             WHERE position <= (SELECT max(position) FROM watermark_rows)",
        )
        .await;
    analytics.projector().rebuild(&mut |_, _| {}).await.unwrap();
    analytics.holds().await;
    analytics
        .execute("ALTER TABLE event_rows DELETE WHERE position < 20")
        .await;
    let running = analytics.start();
    let writing = traffic::write(&world, 0..60);
    let mut nothing = |_, _| {};
    let projector = analytics.projector();
    let (rebuilt, ()) = tokio::join!(projector.rebuild(&mut nothing), writing);
    rebuilt.unwrap();
    analytics.caught_up().await;
    analytics.holds().await;
    running.stop().await;
    // Columns that follow from others are looked at, too.
    analytics
        .execute("ALTER TABLE event_rows MODIFY COLUMN actor MATERIALIZED 'somebody'")
        .await;
    analytics
        .execute("ALTER TABLE event_rows MATERIALIZE COLUMN actor")
        .await;
    assert_eq!(analytics.diff().await.first(), Some(Position(1)));
    let left = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND name LIKE '%rebuilt%'";
    assert_eq!(analytics.text(left).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emptied_database_is_filled_again_and_another_logs_is_refused() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    traffic::write(&world, 0..5).await;
    let running = analytics.start();
    analytics.caught_up().await;
    running.stop().await;
    let other = World::new().await;
    other.projector.prepare().await.unwrap();
    let pool = connect(&other.database.app_url).unwrap();
    let foreign = ClickHouseProjector::new(analytics.clickhouse.clone(), pool, other.store.clone());
    let refused = foreign.rebuild(&mut |_, _| {}).await.unwrap_err();
    assert!(refused.to_string().contains(world.store.source()), "{refused}");
    let refused = analytics.clickhouse.diff(other.store.as_ref(), &mut |_, _| {}).await;
    assert!(matches!(refused, Err(ProjectionError::ClickHouse(_))), "{refused:?}");

    for table in ["event_rows", "ledger_entry_rows", "watermark_rows", "schema_migrations"] {
        analytics.execute(&format!("DROP TABLE {table}")).await;
    }
    assert!(!analytics.clickhouse.migrate().await.unwrap().is_empty());
    let running = analytics.start();
    analytics.caught_up().await;
    analytics.holds().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_or_is_not_set_up_is_told() {
    let nobody = ClickHouse::connect("http://127.0.0.1:1/x").unwrap();
    let error = nobody.version().await.unwrap_err();
    assert!(
        error.is_retryable() && error.to_string().contains("127.0.0.1:1"),
        "{error}"
    );
    assert!(error.to_string().contains("refused"), "{error}");
    let empty = ClickHouse::connect(&Engine::shared().await.database()).unwrap();
    let error = empty.check_tables().await.unwrap_err();
    assert!(error.to_string().contains("viral migrate"), "{error}");
    let url = Engine::shared().await.database();
    let changed = ClickHouse::connect(&url).unwrap();
    changed.migrate().await.unwrap();
    let root = client(&url);
    let unsafe_setting = "ALTER TABLE engagement_rows MODIFY SETTING fsync_after_insert = 0";
    root.query_raw(unsafe_setting).execute().await.unwrap();
    let error = changed.check_tables().await.unwrap_err();
    assert!(error.to_string().contains("engagement_rows") && error.to_string().contains("fsync_after_insert"));
    // Made anew it is as it should be.
    root.query_raw("DROP TABLE engagement_rows").execute().await.unwrap();
    changed.migrate().await.unwrap();
    changed.check_tables().await.unwrap();
    for statement in [
        "DROP TABLE event_rows",
        "CREATE TABLE event_rows (position UInt64) ENGINE = MergeTree ORDER BY position",
    ] {
        root.query_raw(statement).execute().await.unwrap();
    }
    let error = changed.check_tables().await.unwrap_err();
    assert!(
        error.to_string().contains("event_rows") && error.to_string().contains("ReplacingMergeTree"),
        "{error}"
    );
}
