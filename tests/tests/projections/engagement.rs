//! Measurements of engagement in ClickHouse: each counts once in its highest version, however they come, and pages say the
//! same from there as from PostgreSQL.

use super::clickhouse::Analytics;
use super::story::{self, CAMPAIGN, CREATOR, OTHER, id};
use super::world::World;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;
use viral_domain::engagement::Recorded;
use viral_domain::{CampaignId, Measurement, UserId};
use viral_projections::queries::{CostPerResult, EngagementFigures, Interval, Measurements, MetricsFilter, ReadModels};
use viral_projections::{ClickHouse, EngagementTable, connect};
use viral_tests::journey::Chance;

/// What a source says about the measurement with this number, in a version of it.
fn measurement(number: u64, version: u64) -> Measurement {
    let first: DateTime<Utc> = "2026-01-16T00:00:00Z".parse().unwrap();
    let mixed = number
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(version * 1_442_695);
    let part = |of: u64| i64::try_from(mixed % of).unwrap();
    Measurement {
        platform: ["youtube", "twitch", "tiktok"][usize::try_from(number % 3).unwrap()].to_owned(),
        id: format!("m/{number}"),
        version,
        // A correction may name another campaign, creator or time.
        campaign_id: CampaignId(if mixed.is_multiple_of(7) {
            Uuid::from_u128(99)
        } else {
            id(CAMPAIGN)
        }),
        creator_id: UserId(id(if mixed.is_multiple_of(3) { OTHER } else { CREATOR })),
        timestamp: first + TimeDelta::minutes(part(60 * 24 * 40)),
        impressions: mixed % 1_000,
        clicks: mixed % 50,
        watch_time: mixed % 10_000,
        conversions: mixed % 3,
    }
}

/// They all come in at one time.
fn recorded(measurements: impl IntoIterator<Item = Measurement>) -> Vec<Recorded> {
    let at: DateTime<Utc> = "2026-03-01T00:00:00Z".parse().unwrap();
    let each = measurements.into_iter().map(|measurement| Recorded { measurement, at });
    each.collect()
}

/// Deliveries of these measurements: every version of each, many of them twice, in any order.
fn deliveries(count: u64, chance: &mut Chance) -> Vec<Measurement> {
    let mut sent = Vec::new();
    for number in 0..count {
        for version in 0..=chance.below(3) {
            sent.push(measurement(number, version));
            if chance.percent(30) {
                sent.push(measurement(number, version));
            }
        }
    }
    for last in (1..sent.len()).rev() {
        let other = usize::try_from(chance.below(last as u64 + 1)).unwrap();
        sent.swap(last, other);
    }
    sent
}

/// What counts of them.
fn newest(sent: &[Measurement]) -> BTreeMap<&str, &Measurement> {
    let mut newest = BTreeMap::<&str, &Measurement>::new();
    for row in sent {
        let kept = newest.entry(&row.id).or_insert(row);
        if row.version > kept.version {
            *kept = row;
        }
    }
    newest
}

fn sum<'a>(rows: impl Iterator<Item = &'a &'a Measurement>) -> EngagementFigures {
    rows.fold(EngagementFigures::default(), |sum, row| EngagementFigures {
        impressions: sum.impressions + row.impressions,
        clicks: sum.clicks + row.clicks,
        watch_time: sum.watch_time + row.watch_time,
        conversions: sum.conversions + row.conversions,
    })
}

const ALL: MetricsFilter = MetricsFilter {
    from: None,
    to: None,
    interval: Interval::Day,
};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_in_any_order_counts_once() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    let (running, models) = (analytics.start(), world.start());
    story::whole(&world).await;
    analytics.caught_up().await;
    world.caught_up().await;
    let seed: u64 = 20_261_128;
    let mut chance = Chance::new(seed, 0);
    let sent = deliveries(6_000, &mut chance);
    let (table, clickhouse) = (EngagementTable::new(world.store.pool().clone()), &analytics.clickhouse);
    let mut rest = sent.as_slice();
    while !rest.is_empty() {
        let count = usize::try_from(1 + chance.below(3_000)).unwrap().min(rest.len());
        let (some, others) = rest.split_at(count);
        clickhouse.insert_measurements(&recorded(some.to_vec())).await.unwrap();
        // PostgreSQL gets each measurement once in a statement, as from the use case.
        table
            .upsert(&recorded(newest(some).into_values().cloned()))
            .await
            .unwrap();
        rest = others;
    }
    let newest = newest(&sent);
    let of_campaign = |row: &&&Measurement| row.campaign_id.0 == id(CAMPAIGN);
    let expected = sum(newest.values().filter(of_campaign));
    assert_eq!(
        analytics.text("SELECT count() FROM engagement_metrics").await,
        newest.len().to_string(),
        "seed {seed}"
    );

    // Pages say the same wherever they ask.
    let ask =
        |measurements| ReadModels::new(world.store.pool().clone(), world.store.clone()).with_measurements(measurements);
    let models_of = [
        Measurements::Postgres,
        Measurements::ClickHouse(Box::new(clickhouse.clone())),
    ]
    .map(ask);
    let midst: DateTime<Utc> = "2026-02-01T12:30:00Z".parse().unwrap();
    for filter in [
        ALL,
        MetricsFilter {
            interval: Interval::Hour,
            ..ALL
        },
        MetricsFilter {
            from: Some(midst),
            ..ALL
        },
        MetricsFilter {
            to: Some(midst),
            interval: Interval::Hour,
            ..ALL
        },
    ] {
        let mut told = Vec::new();
        for models in &models_of {
            let answer = models
                .campaign_metrics(CampaignId(id(CAMPAIGN)), &filter)
                .await
                .unwrap();
            told.push(answer.value.unwrap().value);
        }
        assert_eq!((told[0].source, told[1].source), ("postgres", "clickhouse"));
        // Asked without ClickHouse, which was filled: no price is told of what may be a part.
        assert!(told[0].missing.take().is_some() && told[1].missing.is_none());
        assert_eq!(
            (
                told[0].cost == CostPerResult::default(),
                told[1].cost == CostPerResult::default()
            ),
            (true, false)
        );
        told[0].cost = told[1].cost.clone();
        assert_eq!(told[0].watermark, told[1].watermark);
        told[1].source = told[0].source;
        assert_eq!(told[0], told[1], "seed {seed} {filter:?}");
        assert!(!told[0].series.is_empty() && told[0].by_creator.len() == 2 && told[0].by_platform.len() == 3);
        if filter == ALL {
            assert_eq!(told[0].totals.engagement, Some(expected), "seed {seed}");
            assert_eq!(told[0].totals.rewards, 1);
        }
    }
    let creator = sum(newest.values().filter(|row| row.creator_id.0 == id(CREATOR)));
    for models in &models_of {
        let dashboard = models
            .dashboard(UserId(id(CREATOR)), midst)
            .await
            .unwrap()
            .value
            .unwrap();
        assert_eq!(dashboard.engagement.figures, Some(creator));
        let campaign = models
            .campaign(CampaignId(id(CAMPAIGN)), None)
            .await
            .unwrap()
            .value
            .unwrap();
        assert_eq!(campaign.engagement.unwrap().figures, Some(expected));
    }

    // Both views have all of it, by hour and by day.
    for (view, column, value, money) in [
        ("campaign_performance", "campaign_id", id(CAMPAIGN), "paid_vcoin"),
        ("creator_performance", "creator_id", id(CREATOR), "earned_vcoin"),
    ] {
        let figures = match column {
            "campaign_id" => expected,
            _ => creator,
        };
        for period in ["hour", "day"] {
            let told = analytics
                .text(&format!(
                    "SELECT (sum(impressions), sum(clicks), sum(watch_time), sum(conversions), sum(rewards), \
                     sum({money}) > 0, countIf(start != toStartOf{}(start)) = 0) FROM {view} \
                     WHERE period = '{period}' AND {column} = '{value}'",
                    if period == "hour" { "Hour" } else { "Day" }
                ))
                .await;
            let EngagementFigures {
                impressions,
                clicks,
                watch_time,
                conversions,
            } = figures;
            assert_eq!(
                told,
                format!("({impressions},{clicks},{watch_time},{conversions},1,1,1)"),
                "{view} {period}"
            );
        }
    }
    analytics.notebook().await;
    models.stop().await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_said_to_be_missing() {
    let world = World::new().await;
    world.projector.prepare().await.unwrap();
    let models = world.start();
    story::whole(&world).await;
    world.caught_up().await;
    let nowhere = ClickHouse::connect("http://127.0.0.1:9/nowhere").unwrap();
    for (measurements, why) in [
        (Measurements::ClickHouse(Box::new(nowhere)), "cannot be asked just now"),
        (Measurements::Kafka, "set CLICKHOUSE_URL"),
    ] {
        let pages = ReadModels::new(world.store.pool().clone(), world.store.clone()).with_measurements(measurements);
        let told = pages
            .campaign_metrics(CampaignId(id(CAMPAIGN)), &ALL)
            .await
            .unwrap()
            .value
            .unwrap()
            .value;
        assert!(told.missing.as_ref().unwrap().contains(why), "{told:?}");
        assert_eq!((told.totals.engagement, told.totals.rewards), (None, 1));
        assert_eq!((told.source, told.by_platform.len()), ("postgres", 0));
        let campaign = pages
            .campaign(CampaignId(id(CAMPAIGN)), None)
            .await
            .unwrap()
            .value
            .unwrap();
        let engagement = campaign.engagement.unwrap();
        assert!(engagement.figures.is_none() && engagement.missing.unwrap().contains(why));
        let dashboard = pages
            .dashboard(UserId(id(CREATOR)), Utc::now())
            .await
            .unwrap()
            .value
            .unwrap();
        assert!(dashboard.engagement.figures.is_none());
    }
    // Where they were in ClickHouse once, PostgreSQL does not have all of them.
    // By one connection: nobody who has one waits for another.
    let reads = Arc::new(world.store.apart("viral reads", 1));
    let pages = ReadModels::new(reads.pool().clone(), reads);
    for (position, missing) in [(0, None), (7, Some("set CLICKHOUSE_URL"))] {
        let noted = "INSERT INTO projections (name, version, schema_version, state, position) \
             VALUES ('clickhouse', 1, 1, 'live', $1) ON CONFLICT (name, version) DO UPDATE SET position = $1, \
             event_id = gen_random_uuid()";
        sqlx::query(noted).bind(position).execute(&world.root).await.unwrap();
        let campaign = CampaignId(id(CAMPAIGN));
        let told = pages
            .campaign_metrics(campaign, &ALL)
            .await
            .unwrap()
            .value
            .unwrap()
            .value;
        assert_eq!(told.totals.engagement, Some(EngagementFigures::default()));
        assert_eq!(told.missing.is_some(), missing.is_some());
        assert!(missing.is_none_or(|why| told.missing.unwrap().contains(why)));
    }
    models.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_in_postgres_is_moved_but_not_what_came_in_meanwhile() {
    let world = World::new().await;
    let table = EngagementTable::new(world.store.pool().clone());
    let mover = EngagementTable::new(connect(&world.database.app_url).unwrap());
    let rows: Vec<Measurement> = (0..10).map(|number| measurement(number, 1)).collect();
    table.upsert(&recorded(rows)).await.unwrap();
    let mut waiting = mover.waiting(7).await.unwrap();
    assert_eq!(waiting.len(), 7);
    // Corrected while it is on its way.
    let mut corrected = waiting[3].clone();
    corrected.measurement.version = 2;
    table.upsert(std::slice::from_ref(&corrected)).await.unwrap();
    mover.moved(&waiting).await.unwrap();
    // It came in at the same moment, so only its version tells it from what was moved.
    waiting = mover.waiting(100).await.unwrap();
    assert_eq!(waiting.len(), 4);
    assert!(waiting.contains(&corrected));
    mover.moved(&waiting).await.unwrap();
    assert_eq!(mover.waiting(100).await.unwrap(), []);
}

/// What waited somewhere and arrives late does not take the place of what came in after it.
#[tokio::test(flavor = "multi_thread")]
async fn of_equal_versions_the_one_that_came_in_last_counts_whenever_it_arrives() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    let table = EngagementTable::new(world.store.pool().clone());
    let [mut early, mut late] =
        [measurement(7, 1), measurement(7, 1)].map(|measurement| recorded([measurement]).remove(0));
    early.measurement.impressions = 1_000;
    late.measurement.impressions = 5;
    late.at += TimeDelta::microseconds(1);
    for row in [&late, &early] {
        table.upsert(std::slice::from_ref(row)).await.unwrap();
        analytics
            .clickhouse
            .insert_measurements(std::slice::from_ref(row))
            .await
            .unwrap();
    }
    assert_eq!(
        analytics.text("SELECT sum(impressions) FROM engagement_metrics").await,
        "5"
    );
    assert_eq!(table.waiting(10).await.unwrap(), [late]);
}

/// Views say what this program means by them, whatever another version has left; they hold nothing.
#[tokio::test(flavor = "multi_thread")]
async fn views_that_changed_are_made_anew_and_tables_that_changed_are_refused() {
    let world = World::new().await;
    let analytics = Analytics::new(&world).await;
    let applied = |version: u32, name: &str| {
        format!(
            "INSERT INTO schema_migrations (version, name, statements) VALUES ({version}, '{name}', 'another text')"
        )
    };
    analytics.execute("DROP VIEW creators").await;
    analytics.execute(&applied(2, "views")).await;
    assert_eq!(analytics.clickhouse.migrate().await.unwrap(), ["0002 views"]);
    assert_eq!(analytics.text("SELECT count() FROM creators").await, "0");
    analytics.execute(&applied(3, "engagement")).await;
    let refused = analytics.clickhouse.migrate().await.unwrap_err().to_string();
    assert!(
        refused.contains("migration 3 (engagement)") && refused.contains("never changed"),
        "{refused}"
    );
}
