//! Names, addresses and texts of people are in no copy of the log: not in a byte of it, its exports or the process's own
//! log. They are in the read model for people, which is for those who may see it.

use super::journey::Desk;
use serde_json::{Value, json};
use sqlx::Row as _;
use std::process::Stdio;
use uuid::Uuid;
use viral_tests::journey::{Person, Stage, caught_up, operator};
use viral_tests::process::{Api, Call, Platform, TOKEN, free_port};

/// Texts that occur nowhere else, one for each personal field, before and after a change of the profile.
const MARKS: [&str; 8] = [
    "Zyxquorlname",
    "zyxquorl.mail@mark.example",
    "Zyxquorlbio",
    "zyxquorl-link.example",
    "Wvutneldname",
    "wvutneld.mail@mark.example",
    "Wvutneldbio",
    "wvutneld-link.example",
];

async fn platform_that_says_everything(desk: &Desk) -> Platform {
    let port = free_port();
    let home = desk.folder.path().join("home");
    let mut command = Platform::command("up", &home, port, Some(&desk.database.superuser_url));
    let log = |name: &str| Stdio::from(std::fs::File::create(desk.folder.path().join(name)).unwrap());
    command
        .env("VIRAL_LOG", "debug")
        .stderr(log("stderr.log"))
        .stdout(log("stdout.log"));
    Platform::started(command, port).await
}

fn profile(marks: &[&str]) -> Value {
    json!({
        "display_name": format!("{} Somebody", marks[0]), "email": marks[1], "bio": format!("I am {}.", marks[2]),
        "links": [format!("https://{}/me", marks[3])],
    })
}

/// A creator with a marked profile, which changes.
async fn marked(api: &Api) -> Person {
    let mut body = profile(&MARKS[..4]);
    body["role"] = "creator".into();
    let user = operator().must(api, Call::post("/v1/dev/users", body)).await;
    let mut change = Call::post("/v1/users/me/profile", profile(&MARKS[4..]));
    change.method = reqwest::Method::PUT;
    let person = Person {
        id: user["id"].as_str().unwrap().to_owned(),
        token: user["token"].as_str().unwrap().to_owned(),
    };
    person.must(api, change).await;
    let path = format!("/v1/admin/users/{}/verification", person.id);
    let body = json!({"verification_state": "verified"});
    operator().must(api, Call::post(path, body)).await;
    person
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_and_its_copies_have_no_personal_text() {
    let desk = Desk::new().await;
    let platform = platform_that_says_everything(&desk).await;
    let api = &platform.client;
    let person = marked(api).await;
    // A story whose people have names, too, and one with money.
    let (story, _) = desk.demo().await;
    let mut marks: Vec<String> = MARKS.iter().map(|mark| (*mark).to_owned()).collect();
    marks.extend(["Sponsor", "First creator", "Second creator"].map(|name| format!("{name} {story}")));
    let stage = Stage::set(api, 1, 1).await;
    stage.employ(api, &stage.creators[0], "10").await;
    // What is refused must not be quoted in the log either.
    let mut bad = profile(&MARKS[..4]);
    bad["role"] = "creator".into();
    bad["nickname"] = MARKS[0].into();
    let refused = operator().insist(api, &Call::post("/v1/dev/users", bad)).await;
    assert_eq!(refused.answer.status, 400);
    let store = desk.database.store().await;
    caught_up(&store).await;

    let me = person.must(api, Call::get("/v1/users/me")).await;
    assert_eq!(me["profile"]["email"], MARKS[5], "{me}");
    let users = rows(&store, "users").await;
    let everybody = users.join("\n");
    for mark in marks.iter().skip(4) {
        assert!(everybody.contains(mark), "{mark} is not in the read model\n{everybody}");
    }
    for mark in &MARKS[..4] {
        assert!(
            !everybody.contains(mark),
            "{mark} was changed, but is in the read model"
        );
    }
    let mut copies: Vec<(String, String)> = Vec::new();
    for table in [
        "events",
        "person_keys",
        "book_snapshots",
        "log_head",
        "parked_events",
        "projections",
    ] {
        copies.push((format!("table {table}"), rows(&store, table).await.join("\n")));
    }
    copies.push(("export events".to_owned(), desk.ok(&["export", "events"]).await));
    for format in ["hledger", "beancount", "csv"] {
        let journal = desk.ok(&["export", "journal", "--format", format]).await;
        copies.push((format!("journal {format}"), journal));
    }
    let lines = operator().must(api, Call::get("/v1/events?limit=500")).await;
    copies.push(("GET /v1/events".to_owned(), lines.to_string()));
    platform.stop().await;
    for name in ["stderr.log", "stdout.log"] {
        let said = std::fs::read_to_string(desk.folder.path().join(name)).unwrap();
        assert!(!said.is_empty(), "{name}");
        copies.push((name.to_owned(), said));
    }
    for (name, copy) in &copies {
        check(name, copy, &marks);
    }
    assert!(copies[0].1.contains("user.registered"), "the events were not searched");
    check_actors(&store).await;
    let bytes: usize = copies.iter().map(|(_, copy)| copy.len()).sum();
    println!(
        "{} marks, {} copies, {bytes} bytes searched, {} users",
        marks.len(),
        copies.len(),
        users.len()
    );
}

/// None of the marks is there, in whatever case, nor in hexadecimal digits, as `bytea` is shown. The secret of the
/// operator is not there either.
fn check(name: &str, copy: &str, marks: &[String]) {
    let copy = copy.to_lowercase();
    for mark in marks {
        let mark = mark.to_lowercase();
        let in_hex: String = mark.bytes().map(|byte| format!("{byte:02x}")).collect();
        assert!(!copy.contains(&mark) && !copy.contains(&in_hex), "{mark} is in {name}");
    }
    let token_may_be_there = name == "stdout.log";
    assert!(
        token_may_be_there || !copy.contains(TOKEN),
        "the operator's token is in {name}"
    );
}

/// All columns of all rows, as PostgreSQL writes them.
async fn rows(store: &viral_store::PostgresStore, table: &str) -> Vec<String> {
    let query = format!("SELECT it::text FROM {table} it");
    let rows = sqlx::query(&query).fetch_all(store.pool()).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

/// Who did something is an id: of a user, of the operator, or of a part of the platform.
async fn check_actors(store: &viral_store::PostgresStore) {
    let query = "SELECT DISTINCT metadata::jsonb ->> 'actor' FROM events";
    let actors: Vec<Option<String>> = sqlx::query_scalar(query).fetch_all(store.pool()).await.unwrap();
    assert!(actors.len() > 5, "{actors:?}");
    for actor in actors.into_iter().flatten() {
        let known = actor == "operator" || actor.starts_with("system:");
        assert!(known || Uuid::try_parse(&actor).is_ok(), "{actor}");
    }
}
