//! Who may write what.

use super::traffic;
use super::world::{World, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn each_role_writes_its_own_only() {
    let world = World::new().await;
    let running = world.start();
    traffic::write(&world, 0..2).await;
    world.caught_up().await;
    let url = &world.database.app_url;
    for statement in [
        "INSERT INTO users_v1 SELECT * FROM users_v1",
        "UPDATE users_v1 SET role = 'admin'",
        "DELETE FROM users_v1",
        "TRUNCATE wallet_accounts_v1",
        "UPDATE wallet_accounts SET balance_vcoin = 1",
        "UPDATE projections SET position = 0",
        "DELETE FROM parked_events",
        "DROP VIEW users",
        "CREATE TABLE mine (x int)",
    ] {
        assert_eq!(refusal(url, "viral_app", statement).await, "42501", "{statement}");
    }
    for table in [
        "users",
        "users_v1",
        "wallet_transactions",
        "projections",
        "parked_events",
    ] {
        assert_eq!(
            refusal(url, "viral_app", &format!("SELECT * FROM {table}")).await,
            "",
            "{table}"
        );
    }
    for statement in [
        "INSERT INTO events SELECT * FROM events",
        "UPDATE events SET event_type = 'x'",
        "DELETE FROM events",
        "TRUNCATE events",
        "UPDATE log_head SET position = 0",
        "INSERT INTO person_keys DEFAULT VALUES",
        "SELECT * FROM person_keys",
        "DROP TABLE events",
        "CREATE ROLE mine",
        "SET ROLE viral_owner",
    ] {
        assert_eq!(refusal(url, "viral_projector", statement).await, "42501", "{statement}");
    }
    assert_eq!(
        refusal(url, "viral_projector", "SELECT * FROM events, log_head").await,
        ""
    );
    running.stop().await;
}
