//! Somebody with all privileges changes history: verify names the first bad position.

use super::journey::Desk;
use viral_commands::{Settings, Writer};
use viral_tests::files::small_journal;
use viral_tests::server::run;

/// What is done to the log, where it shows, and a word of what is said.
const DEEDS: [(&str, u64, &str); 10] = [
    (
        "UPDATE events SET payload = replace(payload::text, '\"amount\":\"', '\"amount\":\"-')::json WHERE position = 240",
        240,
        "",
    ),
    (
        "UPDATE events SET payload = replace(payload::text, 'customer:', 'nobody:')::json WHERE position = 245",
        245,
        "nobody",
    ),
    (
        "UPDATE events SET payload = (' ' || payload::text)::json WHERE position = 30",
        30,
        "canonical",
    ),
    (
        "UPDATE events SET metadata = replace(metadata::text, 'import', 'nobody')::json WHERE position = 1",
        2,
        "unit",
    ),
    (
        "UPDATE events SET recorded_at = recorded_at - interval '1 day' WHERE position = 50",
        50,
        "before",
    ),
    ("DELETE FROM events WHERE position = 60", 60, "missing"),
    ("DELETE FROM events WHERE position > 500", 501, "missing"),
    (
        "UPDATE events SET event_type = 'book.hold_placed' WHERE position = 70",
        70,
        "type",
    ),
    (
        "UPDATE events SET sequence = sequence + 100000 WHERE position = 80",
        80,
        "sequence",
    ),
    (
        "UPDATE events SET event_id = gen_random_uuid() WHERE position = 90",
        90,
        "unit",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn verify_names_the_first_bad_position() {
    let desk = Desk::new().await;
    desk.ok(&[
        "import",
        "journal",
        small_journal().to_str().unwrap(),
        "--overdraft",
        "*",
    ])
    .await;
    let url = &desk.database.superuser_url;
    run(url, "CREATE TABLE original AS TABLE events").await.unwrap();
    for (deed, position, word) in DEEDS {
        let tamper = format!("SET session_replication_role = replica; {deed}");
        run(url, &tamper).await.unwrap();
        let (code, stdout, stderr) = desk.viral(&["audit", "verify"]).await;
        assert_eq!(code, 1, "{deed}: {stdout}{stderr}");
        let expected = format!("does not hold: position {position}:");
        assert!(
            stdout.starts_with(&expected) && stdout.contains(word),
            "{deed}: {stdout}"
        );
        let restore = "SET session_replication_role = replica; DELETE FROM events; INSERT INTO events TABLE original";
        run(url, restore).await.unwrap();
    }
    desk.ok(&["audit", "verify"]).await;
}

/// An amount that was changed as carefully as can be balances all the same. The next snapshot's hash gives it away.
#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_gives_a_careful_change_away() {
    let desk = Desk::new().await;
    desk.ok(&[
        "import",
        "journal",
        small_journal().to_str().unwrap(),
        "--overdraft",
        "*",
    ])
    .await;
    let (writer, _task) = Writer::start(desk.database.store().await, Settings::default())
        .await
        .unwrap();
    writer.snapshot().await.unwrap();
    let snapshot = writer.store().head().await.unwrap().position;
    let deed = "SET session_replication_role = replica; UPDATE events SET payload = \
         replace(payload::text, '\"amount\":\"', '\"amount\":\"1')::json WHERE position = 100";
    run(&desk.database.superuser_url, deed).await.unwrap();
    let (code, stdout, _) = desk.viral(&["audit", "verify"]).await;
    assert_eq!(code, 1, "{stdout}");
    assert!(
        stdout.starts_with(&format!("does not hold: position {snapshot}:")),
        "{stdout}"
    );
    assert!(stdout.contains("hash"), "{stdout}");
}
