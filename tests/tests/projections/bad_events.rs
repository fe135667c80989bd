//! Events that cannot be taken in: parked where each row depends on one aggregate, a full stop where sums do not.

use super::story::{self, CREATOR, OTHER, id, profile, profile_changed, registered};
use super::traffic;
use super::world::{Together, World, event, seal};
use serde_json::json;
use uuid::Uuid;
use viral_domain::fraud_flag::{FraudFlagEvent, Raised, SourceType};
use viral_domain::user::{Role, UserEvent, Verification, VerificationChanged};
use viral_domain::{FlagId, UserId};
use viral_projections::{ProjectionError, Resumed, State, list};

async fn status(world: &World, name: &str) -> viral_projections::Status {
    let all = list(world.store.pool(), world.store.as_ref()).await.unwrap();
    all.into_iter()
        .find(|status| status.name == name && status.state == State::Live)
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_aggregate_is_left_out_openly_and_resumed_in_order() {
    let world = World::new().await;
    let running = world.start();
    world
        .append(event(
            "user",
            id(CREATOR),
            registered(id(CREATOR), Role::Creator, &profile("first")),
        ))
        .await;
    world.caught_up().await;
    // A text that cannot be opened for now.
    let sealed = seal(id(CREATOR), &profile("second"));
    world.unseal.damaged.lock().unwrap().insert(sealed.ct);
    let bad = world
        .append(event(
            "user",
            id(CREATOR),
            profile_changed(id(CREATOR), &profile("second")),
        ))
        .await;
    let verified = VerificationChanged {
        verification: Verification::Verified,
        user: UserId(id(CREATOR)),
    };
    let later = UserEvent::VerificationChanged(verified);
    let later = world.append(event("user", id(CREATOR), later)).await;
    world
        .append(event(
            "user",
            id(OTHER),
            registered(id(OTHER), Role::Creator, &profile("other")),
        ))
        .await;
    world.caught_up().await;

    // Its row is as before, the others go on.
    let row = world
        .row(&format!("SELECT * FROM users WHERE id = '{}'", id(CREATOR)))
        .await;
    assert_eq!(
        (&row["profile_metadata"]["display_name"], &row["verification_state"]),
        (&json!("first"), &json!("unverified"))
    );
    assert_eq!(world.text("SELECT count(*) FROM users").await, "2");
    assert_eq!(status(&world, "users").await.parked, 2);
    let report = world.diff().await;
    assert_eq!(report.differences, []);
    assert!(!report.holds());
    let parked: Vec<_> = report
        .parked
        .iter()
        .map(|parked| (parked.position, parked.problem.is_some()))
        .collect();
    assert_eq!(parked, [(bad, true), (later, false)]);
    assert_eq!(report.parked[0].stream.to_string(), format!("user/{}", id(CREATOR)));

    let still = Resumed {
        was_halted: false,
        applied: 0,
        still_parked: 2,
    };
    assert_eq!(world.projector.resume("users").await.unwrap(), still);
    world.unseal.damaged.lock().unwrap().clear();
    let resumed = Resumed {
        was_halted: false,
        applied: 2,
        still_parked: 0,
    };
    assert_eq!(world.projector.resume("users").await.unwrap(), resumed);
    let row = world
        .row(&format!("SELECT * FROM users WHERE id = '{}'", id(CREATOR)))
        .await;
    assert_eq!(
        (&row["profile_metadata"]["display_name"], &row["verification_state"]),
        (&json!("second"), &json!("verified"))
    );
    // What comes after is applied as ever.
    world
        .append(event(
            "user",
            id(CREATOR),
            profile_changed(id(CREATOR), &profile("third")),
        ))
        .await;
    world.caught_up().await;
    assert_eq!(status(&world, "users").await.parked, 0);
    assert!(world.diff().await.holds());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_program_knows_is_parked_or_passed_by_and_found_again_by_a_rebuild() {
    let world = World::new().await;
    let running = world.start();
    story::begins(&world).await;
    let user = id(CREATOR).to_string();
    let of = |version, payload: serde_json::Value| Together::default().and_raw("user", &user, version, &payload);
    // Of a wanted type of aggregate: an unknown event, which is passed by, an unknown version, a payload that does not fit.
    world
        .append(of("1", json!({"type": "user.renamed", "user": user})))
        .await;
    world
        .append(of("2", json!({"type": "user.profile_changed", "user": user})))
        .await;
    let wrong = Together::default().and_raw(
        "user",
        &id(OTHER).to_string(),
        "1",
        &json!({"type": "user.profile_changed"}),
    );
    world.append(wrong).await;
    let no_id = Together::default().and_raw(
        "user",
        "nobody",
        "1",
        &json!({"type": "user.flagged", "flag": id(1), "user": id(1)}),
    );
    world.append(no_id).await;
    // Of others: nothing, and of a kind of aggregate that nobody knows.
    world
        .append(Together::default().and_raw("guild", "g", "1", &json!({"type": "guild.founded"})))
        .await;
    world
        .append(Together::default().and_raw("login", "abc", "9", &json!({"type": "login.claimed"})))
        .await;
    world
        .append(Together::default().and_raw("reversal", "x", "1", &json!({"type": "reversal.requested"})))
        .await;
    world.caught_up().await;
    assert_eq!(status(&world, "users").await.parked, 3);
    for (name, event_type) in [
        ("users", "user.renamed"),
        ("users", "guild.founded"),
        ("wallets", "guild.founded"),
    ] {
        let passed = viral_projections::passed_by();
        let found = passed
            .iter()
            .find(|passed| (passed.read_model, passed.event_type.as_str()) == (name, event_type));
        assert!(
            found.is_some_and(|passed| passed.events == 1),
            "{name}, {event_type}: {passed:?}"
        );
    }
    for name in ["campaigns", "wallets", "payouts", "fraud_flags"] {
        assert_eq!(
            (status(&world, name).await.parked, status(&world, name).await.problem),
            (0, None),
            "{name}"
        );
    }
    world.projector.rebuild("users", &mut |_, _| {}).await.unwrap();
    assert_eq!(status(&world, "users").await.parked, 3);
    assert_eq!(
        world.text("SELECT count(DISTINCT version) FROM parked_events").await,
        "1"
    );
    assert_eq!(world.diff().await.differences, []);
    running.stop().await;
}

/// A text that is fine as JSON but that PostgreSQL cannot keep, in the middle of a batch that it can.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_database_refuses_parks_its_event_only() {
    let world = World::new().await;
    traffic::write(&world, 0..5).await;
    let nul = r#"{"display_name":"\u0000"}"#;
    let bad = world
        .append(event("user", id(CREATOR), registered(id(CREATOR), Role::Admin, nul)))
        .await;
    traffic::write(&world, 5..10).await;
    let running = world.start();
    world.caught_up().await;
    assert_eq!(world.text("SELECT count(*) FROM users").await, "10");
    assert_eq!(
        world
            .text("SELECT string_agg(position::text, ',') FROM parked_events")
            .await,
        bad.to_string()
    );
    let report = world.diff().await;
    assert_eq!((report.differences.len(), report.parked.len()), (0, 1));
    running.stop().await;

    world.projector.rebuild("users", &mut |_, _| {}).await.unwrap();
    assert_eq!(world.text("SELECT count(*) FROM users").await, "10");
    assert_eq!(status(&world, "users").await.parked, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_halts_at_a_bad_event_until_it_is_resumed() {
    let world = World::new().await;
    let running = world.start();
    traffic::write(&world, 0..10).await;
    world.caught_up().await;
    let before = world.head().await;
    // In the middle of a unit: not even its first event counts.
    let campaign = traffic::sponsor(3).1;
    let together = event("fraud_flag", id(9), flag(id(9)));
    let bad = together.and_raw(
        "campaign",
        &campaign.to_string(),
        "7",
        &json!({"type": "campaign.published"}),
    );
    let bad = world.append(bad).await;
    traffic::write(&world, 10..20).await;
    let head = world.head().await;
    for name in ["users", "campaigns", "payouts", "fraud_flags"] {
        world.reached(name, head).await;
    }
    world
        .until(
            "SELECT problem IS NOT NULL FROM projections WHERE name = 'wallets'",
            "true",
        )
        .await;
    let halted = status(&world, "wallets").await;
    assert_eq!(halted.position, before);
    let problem = halted.problem.unwrap();
    assert!(
        problem.contains(&bad.to_string()) && problem.contains("version 7"),
        "{problem}"
    );
    assert_eq!(status(&world, "campaigns").await.parked, 1);
    assert!(!world.diff().await.holds());

    // Still bad: it stops there again. A rebuild stops there as well, and leaves the live version as it was.
    assert!(world.projector.resume("wallets").await.unwrap().was_halted);
    world
        .until(
            "SELECT problem IS NOT NULL FROM projections WHERE name = 'wallets'",
            "true",
        )
        .await;
    let error = world.projector.rebuild("wallets", &mut |_, _| {}).await.unwrap_err();
    assert!(
        matches!(&error, ProjectionError::Halted { position, .. } if *position == bad),
        "{error}"
    );
    assert_eq!(world.text("SELECT count(*) FROM projections").await, "5");
    assert_eq!(status(&world, "wallets").await.position, before);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halted_read_model_goes_on_when_it_is_resumed() {
    let world = World::new().await;
    let running = world.start();
    traffic::write(&world, 0..10).await;
    world.caught_up().await;
    world
        .as_root("UPDATE projections SET problem = 'something', halted_at = now() WHERE name = 'wallets'")
        .await;
    traffic::write(&world, 10..20).await;
    let head = world.head().await;
    world.reached("users", head).await;
    assert_ne!(status(&world, "wallets").await.position, head);
    assert!(world.projector.resume("wallets").await.unwrap().was_halted);
    world.caught_up().await;
    assert!(world.diff().await.holds());
    running.stop().await;
}

fn flag(id: Uuid) -> FraudFlagEvent {
    FraudFlagEvent::Raised(Raised {
        flag: FlagId(id),
        reasons: vec!["odd".to_owned()],
        score: 1,
        source_id: id,
        source_type: SourceType::User,
    })
}
