//! What a comparison finds after somebody changed the tables.

use super::story::{self, CREATOR, MISSION, id};
use super::world::World;
use viral_projections::Difference;
use viral_store::Position;

/// Table, key, column, both values and the event's type.
type Brief<'a> = (
    &'a str,
    &'a str,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
);

fn brief(difference: &Difference) -> Brief<'_> {
    (
        &difference.table,
        &difference.key,
        difference.column.as_deref(),
        difference.expected.as_deref(),
        difference.actual.as_deref(),
        difference.event_type.as_deref(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_changed_cell_is_named_with_both_values_and_its_last_event() {
    let world = World::new().await;
    let running = world.start();
    story::whole(&world).await;
    world.caught_up().await;
    running.stop().await;
    let mission = id(MISSION).to_string();
    // One cell of each type, each by the smallest change.
    world
        .as_root(
            "UPDATE campaign_missions_v1 SET reward_vcoin = reward_vcoin + 0.0001,
                 deadline = deadline + interval '1 microsecond', requirements = '{\"required\": [\"url\", \"x\"]}',
                 open_call = false, status = 'closed', places_taken = 2",
        )
        .await;
    world
        .as_root(&format!(
            "UPDATE users_v1 SET profile_metadata = NULL WHERE id = '{}'",
            id(CREATOR)
        ))
        .await;
    world
        .as_root("UPDATE creator_assignments_v1 SET fee_bps = 0 WHERE fee_bps = 500 AND net_vcoin IS NULL")
        .await;
    let report = world.diff().await;
    assert!(!report.holds());
    let freed = Some("campaign.place_freed");
    let of_mission: Vec<_> = report
        .differences
        .iter()
        .filter(|d| d.table == "campaign_missions")
        .map(brief)
        .collect();
    assert_eq!(
        of_mission,
        [
            ("deadline", "2026-06-30T00:00:00.000000Z", "2026-06-30T00:00:00.000001Z"),
            ("open_call", "true", "false"),
            ("places_taken", "1", "2"),
            ("requirements", r#"{"required":["url"]}"#, r#"{"required":["url","x"]}"#),
            ("reward_vcoin", "100.0000", "100.0001"),
            ("status", "open", "closed"),
        ]
        .map(|(column, expected, actual)| {
            (
                "campaign_missions",
                mission.as_str(),
                Some(column),
                Some(expected),
                Some(actual),
                freed,
            )
        })
    );
    let position = world
        .text("SELECT max(position) FROM events WHERE event_type = 'campaign.place_freed'")
        .await;
    let last = Some(Position(position.parse().unwrap()));
    let positions = report
        .differences
        .iter()
        .filter(|d| d.table == "campaign_missions")
        .map(|d| d.position);
    assert!(positions.into_iter().all(|position| position == last));
    let others: Vec<_> = report
        .differences
        .iter()
        .filter(|d| d.table != "campaign_missions")
        .collect();
    assert_eq!(others.len(), 2, "{others:#?}");
    let profile = others.iter().find(|d| d.table == "users").unwrap();
    assert_eq!(
        (profile.column.as_deref(), &profile.actual),
        (Some("profile_metadata"), &None)
    );
    assert!(profile.expected.as_ref().unwrap().contains("creator@example.org"));
    assert_eq!(profile.event_type.as_deref(), Some("user.verification_changed"));
    let fee = others.iter().find(|d| d.table == "creator_assignments").unwrap();
    assert_eq!(
        (fee.expected.as_deref(), fee.actual.as_deref()),
        (Some("500"), Some("0"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_missing_or_too_many_are_found() {
    let world = World::new().await;
    let running = world.start();
    story::whole(&world).await;
    world.caught_up().await;
    assert!(world.diff().await.holds());
    running.stop().await;
    let gone = world
        .text("SELECT id FROM wallet_transactions WHERE type = 'reward' AND amount_vcoin = 95")
        .await;
    world
        .as_root(&format!("DELETE FROM wallet_transactions_v1 WHERE id = '{gone}'"))
        .await;
    let extra = id(0xff);
    world
        .as_root(&format!(
            "INSERT INTO wallet_holds_v1 SELECT '{extra}', account_id, amount_vcoin, reference_type, reference_id, 'open', \
                 user_id, campaign_id, expires_at, placed_at, resolved_at, position FROM wallet_holds_v1 LIMIT 1"
        ))
        .await;
    let report = world.diff().await;
    assert_eq!(report.differences.len(), 2, "{:#?}", report.differences);
    let [missing, too_many] = [&report.differences[0], &report.differences[1]];
    assert_eq!(
        (missing.table.as_str(), &missing.key, &missing.column),
        ("wallet_transactions", &gone, &None)
    );
    assert!(missing.expected.as_ref().unwrap().contains("95.0000") && missing.actual.is_none());
    assert_eq!(missing.event_type.as_deref(), Some("book.transaction_posted"));
    assert_eq!(
        (too_many.table.as_str(), &too_many.key, &too_many.column),
        ("wallet_holds", &extra.to_string(), &None)
    );
    assert!(too_many.expected.is_none() && too_many.actual.as_ref().unwrap().contains("\"open\""));
    assert!(too_many.position.is_some());
}

/// An event that the tables skipped without saying so.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_was_left_out_silently_is_found() {
    let world = World::new().await;
    let running = world.start();
    let unknown = serde_json::json!({"type": "user.profile_changed"});
    let together = super::world::Together::default().and_raw("user", &id(CREATOR).to_string(), "1", &unknown);
    let position = world.append(together).await;
    world.caught_up().await;
    running.stop().await;
    world.as_root("DELETE FROM parked_events").await;
    let report = world.diff().await;
    assert_eq!(report.differences.len(), 1, "{:#?}", report.differences);
    let found = &report.differences[0];
    assert_eq!(
        (found.table.as_str(), &found.key),
        ("users", &format!("user/{}", id(CREATOR)))
    );
    assert_eq!(
        (found.position, found.event_type.as_deref()),
        (Some(position), Some("user.profile_changed"))
    );
}

/// Erasure: the key is destroyed, so the log says nothing any more; a rebuild leaves the profile out.
#[tokio::test(flavor = "multi_thread")]
async fn an_erased_profile_may_not_stay_in_the_tables() {
    let world = World::new().await;
    let running = world.start();
    story::whole(&world).await;
    world.caught_up().await;
    world.unseal.erased.lock().unwrap().insert(id(CREATOR));
    let report = world.diff().await;
    assert_eq!(report.differences.len(), 1);
    assert_eq!(
        (&report.differences[0].expected, report.differences[0].column.as_deref()),
        (&None, Some("profile_metadata"))
    );
    world.projector.rebuild("users", &mut |_, _| {}).await.unwrap();
    assert!(world.diff().await.holds());
    running.stop().await;
}
