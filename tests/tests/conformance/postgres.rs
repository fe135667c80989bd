//! What only the log in PostgreSQL promises.

use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;
use viral_commands::{AppendError, Rejection, Settings, Unit, Writer};
use viral_store::{EventStore as _, Position, StreamId};
use viral_tests::samples::{notes, open, transfer};
use viral_tests::server::TestServer;

#[tokio::test]
async fn nobody_changes_history() {
    let database = TestServer::shared().await.database().await;
    let store = database.store().await;
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    writer.append(open("a", true)).await.unwrap();
    let before = store.read_after(Position::START, 10).await.unwrap();
    for url in [&database.superuser_url, &database.owner_url, &database.app_url] {
        let mut connection = PgConnection::connect(url).await.unwrap();
        for statement in [
            "UPDATE events SET event_type = 'book.other'",
            "UPDATE events SET payload = '{}' WHERE false",
            "DELETE FROM events",
            "DELETE FROM events WHERE position = 1",
            "TRUNCATE events",
            "TRUNCATE events CASCADE",
        ] {
            let error = connection.execute(statement).await.unwrap_err();
            let code = error
                .as_database_error()
                .and_then(|e| e.code())
                .unwrap_or_default()
                .into_owned();
            // restrict_violation by the trigger, insufficient_privilege for the application's role.
            let expected = if *url == database.app_url { "42501" } else { "23001" };
            assert_eq!(code, expected, "{statement}: {error}");
        }
    }
    assert_eq!(store.read_after(Position::START, 10).await.unwrap(), before);
}

#[tokio::test]
async fn the_application_may_not_do_more_than_it_needs() {
    let database = TestServer::shared().await.database().await;
    let mut connection = PgConnection::connect(&database.app_url).await.unwrap();
    for statement in [
        "ALTER TABLE events DISABLE TRIGGER events_are_immutable",
        "DROP TABLE events",
        "CREATE TABLE mine (x int)",
        "UPDATE log_head SET log_id = gen_random_uuid()",
        "DELETE FROM log_head",
        "SET ROLE viral_owner",
    ] {
        let error = connection.execute(statement).await.unwrap_err();
        let code = error
            .as_database_error()
            .and_then(|e| e.code())
            .unwrap_or_default()
            .into_owned();
        assert_eq!(code, "42501", "{statement}: {error}");
    }
}

/// Acknowledged is on the disk, and no short statement is compiled, whatever the server's defaults are.
#[tokio::test]
async fn sessions_have_their_own_settings() {
    for (default, is_projector, expected) in [("off", false, "on"), ("on", true, "off")] {
        let database = TestServer::shared().await.database().await;
        let mut root = PgConnection::connect(&database.superuser_url).await.unwrap();
        let name: String = sqlx::query_scalar("SELECT current_database()")
            .fetch_one(&mut root)
            .await
            .unwrap();
        for setting in [
            &format!("synchronous_commit = {default}"),
            "jit = on",
            "timezone = 'Asia/Tokyo'",
        ] {
            let statement = format!("ALTER DATABASE \"{name}\" SET {setting}");
            root.execute(statement.as_str()).await.unwrap();
        }
        let pool = match is_projector {
            true => viral_projections::connect(&database.app_url).unwrap(),
            false => database.store().await.pool().clone(),
        };
        for (setting, expected) in [("synchronous_commit", expected), ("jit", "off"), ("timezone", "UTC")] {
            let show = format!("SHOW {setting}");
            let found: String = sqlx::query_scalar(&show).fetch_one(&pool).await.unwrap();
            assert_eq!(found, expected, "{setting}");
        }
    }
}

#[tokio::test]
async fn migrating_twice_changes_nothing() {
    let database = TestServer::shared().await.database().await;
    let source = database.store().await.source().to_owned();
    viral_store::postgres::migrate(&database.owner_url).await.unwrap();
    viral_store::postgres::migrate(&database.superuser_url).await.unwrap();
    assert_eq!(database.store().await.source(), source);
}

#[tokio::test]
async fn a_database_of_the_users_own_is_set_up_by_its_superuser() {
    let server = TestServer::shared().await;
    server.as_superuser("CREATE DATABASE theirs").await;
    let (host, _) = server.postgres.superuser_url().rsplit_once('/').unwrap();
    let url = format!("{host}/theirs");
    let unmigrated = viral_store::PostgresStore::connect(&url).await.unwrap_err();
    assert!(unmigrated.to_string().contains("viral migrate"), "{unmigrated}");
    viral_store::postgres::migrate(&url).await.unwrap();
    let store = std::sync::Arc::new(viral_store::PostgresStore::connect(&url).await.unwrap());
    let role: String = sqlx::query("SELECT current_user::text")
        .fetch_one(store.pool())
        .await
        .unwrap()
        .get(0);
    assert_eq!(role, "viral_app");
    let (writer, _task) = Writer::start(store, Settings::default()).await.unwrap();
    writer.append(open("a", true)).await.unwrap();
}

/// A note as `cqrs-es` sees it.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Note(Vec<String>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum NoteEvent {
    #[serde(rename = "note.taken")]
    Taken { text: String },
}

impl cqrs_es::DomainEvent for NoteEvent {
    fn event_type(&self) -> String {
        "note.taken".to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl cqrs_es::Aggregate for Note {
    const TYPE: &'static str = "note";
    type Command = ();
    type Event = NoteEvent;
    type Error = std::convert::Infallible;
    type Services = ();

    async fn handle(
        &mut self,
        (): (),
        (): &(),
        _sink: &cqrs_es::event_sink::EventSink<Self>,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    fn apply(&mut self, NoteEvent::Taken { text }: NoteEvent) {
        self.0.push(text);
    }
}

#[tokio::test]
async fn postgres_es_reads_the_table_unchanged() {
    use cqrs_es::persist::PersistedEventRepository as _;
    let database = TestServer::shared().await.database().await;
    let store = database.store().await;
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let stream = StreamId::new("note", "a");
    for n in 0..3 {
        let unit = Unit::new(Uuid::now_v7(), vec![notes(&stream, n, &["first", "second"][..1])]);
        writer.append(unit.with_actor("tester")).await.unwrap();
    }
    let repository = PostgresEventRepository::new(store.pool().clone());
    let events = repository.get_events::<Note>("a").await.unwrap();
    assert_eq!(events.iter().map(|e| e.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(events[0].event_type, "note.taken");
    assert_eq!(events[0].metadata["actor"], "tester");
    // Its own store puts the aggregate together from our rows.
    let es = cqrs_es::persist::PersistedEventStore::<_, Note>::new_event_store(repository);
    let loaded = cqrs_es::EventStore::load_events(&es, "a").await.unwrap();
    let texts: Vec<_> = loaded.into_iter().map(|e| e.payload).collect();
    assert_eq!(
        texts,
        vec![
            NoteEvent::Taken {
                text: "first".to_owned()
            };
            3
        ]
    );
}

#[tokio::test]
async fn stored_text_is_kept_byte_for_byte() {
    let database = TestServer::shared().await.database().await;
    let store = database.store().await;
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    writer.append(open("a", true)).await.unwrap();
    writer.append(open("b", true)).await.unwrap();
    let outcome = writer.append(transfer("a", "b", "1")).await.unwrap();
    let read = store.find(outcome.events()[0].event_id).await.unwrap().unwrap();
    assert_eq!(read, outcome.events()[0]);
    viral_store::canonical::check_object(&read.payload).unwrap();
    viral_store::canonical::check_object(&read.metadata).unwrap();
    let line = viral_store::line::to_line(&read, store.source()).unwrap();
    assert_eq!(
        viral_store::line::parse(&line)
            .map(|line| (line.event, line.source))
            .unwrap(),
        (read, store.source().to_owned())
    );
}

/// A batch with units whose content the database refuses (SQLSTATE class 22) is split: the others are appended.
#[tokio::test]
async fn what_the_database_refuses_for_its_content_fails_alone() {
    let database = TestServer::shared().await.database().await;
    // As a database of another encoding does when COPY brings what it cannot hold.
    let refuse = "CREATE FUNCTION refuse_content() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF NEW.payload::text LIKE '%unwanted%' THEN \
         RAISE EXCEPTION 'character has no equivalent' USING ERRCODE = 'untranslatable_character'; END IF; \
         RETURN NEW; END $$; \
         CREATE TRIGGER refuse_content BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse_content()";
    viral_tests::server::run(&database.owner_url, refuse).await.unwrap();
    let store = database.store().await;
    let (writer, _task) = Writer::start(store.clone(), Settings::default()).await.unwrap();
    let bad = [3, 117];
    let unit = |n: usize| {
        let stream = StreamId::new("note", n.to_string());
        let text = if bad.contains(&n) { "unwanted" } else { "wanted" };
        Unit::new(Uuid::now_v7(), vec![notes(&stream, 0, &[text])])
    };
    let answers = writer.append_all((0..242).map(unit).collect()).await;
    for (n, answer) in answers.iter().enumerate() {
        match answer {
            Err(AppendError::Rejected(Rejection::NotStorable(why))) if bad.contains(&n) => {
                assert!(why.contains("22P05"), "{why}");
            }
            Ok(_) if !bad.contains(&n) => {}
            other => panic!("{n}: {other:?}"),
        }
    }
    let positions: Vec<u64> = store
        .read_after(Position::START, 1_000)
        .await
        .unwrap()
        .iter()
        .map(|event| event.position.0)
        .collect();
    assert_eq!(positions, (1..=240).collect::<Vec<_>>());
    // The same on a call of its own, and the next one goes on.
    let alone = writer.append(unit(3)).await.unwrap_err();
    assert!(!alone.is_retryable(), "{alone}");
    writer.append(open("a", true)).await.unwrap();
}

/// Any role may send a notification with any text. It costs a look at the head now and then, and wakes nobody.
#[tokio::test]
async fn a_notification_only_wakes() {
    let database = TestServer::shared().await.database().await;
    let mut forger = PgConnection::connect(&database.app_url).await.unwrap();
    let mut root = PgConnection::connect(&database.superuser_url).await.unwrap();
    let mut looks = async || -> i64 {
        // A session has told all that it counted when it has ended.
        let others =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'viral'";
        while sqlx::query_scalar::<_, i64>(others).fetch_one(&mut root).await.unwrap() > 0 {}
        let query =
            "SELECT (seq_scan + COALESCE(idx_scan, 0))::bigint FROM pg_stat_user_tables WHERE relname = 'log_head'";
        sqlx::query_scalar(query).fetch_one(&mut root).await.unwrap()
    };
    let store = database.store().await;
    let began = Instant::now();
    let wait = store.wait_for(Position::START, Duration::from_secs(1));
    let flood = async {
        loop {
            let forged = "NOTIFY viral_events, '999999999'; NOTIFY viral_events, 'no number'";
            forger.execute(forged).await.unwrap();
        }
    };
    tokio::select! {
        head = wait => assert_eq!(head.unwrap().position, Position::START),
        () = flood => {}
    }
    assert!(began.elapsed() >= Duration::from_secs(1), "it was woken");
    store.close().await;
    drop(store);
    let counted = looks().await;
    let most = i64::try_from(began.elapsed().as_millis() / 10).unwrap() + 10;
    assert!(counted <= most, "{counted} looks");
    // A true one wakes at once, also after all those.
    let store = database.store().await;
    let (writer, _task) = Writer::start(database.store().await, Settings::default())
        .await
        .unwrap();
    let wait = store.wait_for(Position::START, Duration::from_secs(60));
    let (head, _) = tokio::join!(wait, writer.append(open("a", true)));
    assert_eq!(head.unwrap().position, Position(1));
}

/// Whatever reads take, appends have connections of their own.
#[tokio::test]
async fn reads_do_not_keep_appends_from_the_database() {
    let database = TestServer::shared().await.database().await;
    let store = database.store().await;
    let reads = Arc::new(store.apart("viral reads", 1));
    let (writer, _task) = Writer::start(store, Settings::default()).await.unwrap();
    let writer = writer.with_reads(reads.clone());
    let taken = reads.pool().acquire().await.unwrap();
    writer.append(open("a", true)).await.unwrap();
    {
        let mut read = std::pin::pin!(writer.read(|_, position| position));
        tokio::select! {
            biased;
            read = &mut read => panic!("there was no connection to read by: {read:?}"),
            appended = writer.append(open("b", true)) => drop(appended.unwrap()),
        }
        drop(taken);
        assert_eq!(read.await.unwrap(), Position(2));
    }
}
