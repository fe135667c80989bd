//! The ledger in the log: decided once, by whichever writer, and the same after a restart.

use std::sync::Arc;
use uuid::Uuid;
use viral_commands::{AppendError, BookAt, Part, Rejection, Settings, Unit, Writer};
use viral_ledger::{Book, Refusal};
use viral_store::{EventStore, Position, Snapshot, StreamId};
use viral_tests::samples::{address, notes, open, post, transfer};

type Store = Arc<dyn EventStore>;

async fn writer(store: &Store) -> Writer {
    Writer::start(store.clone(), Settings::default()).await.unwrap().0
}

async fn balance(writer: &Writer, account: &'static str) -> i128 {
    let read = writer.read(move |book, _| book.account(&address(account)).map(|a| a.balance()));
    read.await.unwrap().unwrap()
}

/// The book by replaying every event, without any snapshot.
async fn replay(store: &Store) -> Book {
    let mut state = BookAt::default();
    let head = store.head().await.unwrap().position;
    state.follow(store.as_ref(), head).await.unwrap();
    state.book
}

async fn live(writer: &Writer) -> Book {
    writer.read(|book, _| book.clone()).await.unwrap()
}

pub async fn a_refused_command_undoes_the_whole_unit(store: Store) {
    let writer = writer(&store).await;
    for unit in [
        open("bank", true),
        open("a", false),
        open("b", false),
        transfer("bank", "a", "10"),
    ] {
        writer.append(unit).await.unwrap();
    }
    let before = live(&writer).await;
    let ledger = |command| Part::Ledger { id: None, command };
    let parts = vec![
        notes(&StreamId::new("note", "n"), 0, &["first"]),
        ledger(post("a", "b", "6")),
        ledger(post("a", "b", "6")),
    ];
    let refused = Unit::new(Uuid::now_v7(), parts);
    let outcomes = writer.append_all(vec![refused, transfer("a", "b", "5")]).await;
    let reason = outcomes[0].as_ref().unwrap_err();
    let insufficient = matches!(
        reason,
        AppendError::Rejected(Rejection::Ledger(Refusal::InsufficientFunds { .. }))
    );
    assert!(insufficient, "{reason}");
    assert!(outcomes[1].is_ok(), "{outcomes:?}");
    assert_eq!(store.head().await.unwrap().position, Position(5));
    assert_eq!(balance(&writer, "a").await, 50_000);
    assert_eq!(before.sequence(), 4);
    assert_eq!(live(&writer).await, replay(&store).await);
}

pub async fn events_and_ledger_commands_are_one_unit(store: Store) {
    let writer = writer(&store).await;
    writer.append(open("a", true)).await.unwrap();
    writer.append(open("b", true)).await.unwrap();
    let transaction = Uuid::now_v7();
    let parts = vec![
        notes(&StreamId::new("campaign", "c"), 0, &["funded"]),
        Part::Ledger {
            id: Some(transaction),
            command: post("a", "b", "1.5"),
        },
    ];
    let outcome = writer.append(Unit::new(Uuid::now_v7(), parts)).await.unwrap();
    let events = outcome.events();
    assert_eq!(events[1].event_id, transaction);
    assert_eq!((events[1].position, events[1].sequence), (Position(4), 3));
    assert_eq!(
        events[0].parse_metadata().unwrap().unit_id,
        events[1].parse_metadata().unwrap().unit_id
    );
    assert_eq!(events[1].event_type, "book.transaction_posted");
    viral_store::canonical::check_object(&events[1].payload).unwrap();
}

pub async fn two_writers_see_each_other(store: Store) {
    let (one, two) = (writer(&store).await, writer(&store).await);
    one.append(open("bank", true)).await.unwrap();
    two.append(open("a", false)).await.unwrap();
    let mut tasks = Vec::new();
    for n in 0..100 {
        let writer = if n % 2 == 0 { one.clone() } else { two.clone() };
        tasks.push(tokio::spawn(
            async move { writer.append(transfer("bank", "a", "1")).await },
        ));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    // Each spends what the other has brought: together not more than there is.
    let mut tasks = Vec::new();
    for n in 0..60 {
        let writer = if n % 2 == 0 { one.clone() } else { two.clone() };
        tasks.push(tokio::spawn(
            async move { writer.append(transfer("a", "bank", "2")).await },
        ));
    }
    let mut spent = 0;
    for task in tasks {
        spent += usize::from(task.await.unwrap().is_ok());
    }
    assert_eq!(spent, 50);
    assert_eq!(balance(&one, "a").await, 0);
    let expected = replay(&store).await;
    assert_eq!(live(&one).await, expected);
    assert_eq!(live(&two).await, expected);
}

async fn some_history(writer: &Writer) {
    for unit in [open("bank", true), open("a", false), transfer("bank", "a", "10")] {
        writer.append(unit).await.unwrap();
    }
}

pub async fn a_writer_starts_from_the_snapshot_and_the_tail(store: Store) {
    let first = writer(&store).await;
    some_history(&first).await;
    first.snapshot().await.unwrap();
    first.append(transfer("a", "bank", "3")).await.unwrap();
    let loaded = BookAt::load(store.as_ref(), Position(u64::MAX)).await.unwrap();
    assert_eq!(loaded.position(), Position(3));
    let second = writer(&store).await;
    assert_eq!(balance(&second, "a").await, 70_000);
    assert_eq!(live(&second).await, replay(&store).await);
    second.append(transfer("a", "bank", "7")).await.unwrap();
    assert!(second.append(transfer("a", "bank", "1")).await.is_err());
    assert_eq!(balance(&first, "a").await, 0);

    // Snapshots are taken by themselves, too.
    let settings = Settings {
        snapshot_every: 20,
        ..Settings::default()
    };
    let (third, _task) = Writer::start(store.clone(), settings).await.unwrap();
    for _ in 0..50 {
        third.append(transfer("bank", "a", "1")).await.unwrap();
    }
    let loaded = BookAt::load(store.as_ref(), Position(u64::MAX)).await.unwrap();
    assert!(loaded.position() > Position(20), "{:?}", loaded.position());
    assert_eq!(live(&third).await, replay(&store).await);
}

pub async fn a_snapshot_that_does_not_hold_is_not_used(store: Store) {
    let first = writer(&store).await;
    some_history(&first).await;
    first.snapshot().await.unwrap();
    first.append(transfer("a", "bank", "3")).await.unwrap();
    first.snapshot().await.unwrap();
    let good = store.snapshot_at(Position(5)).await.unwrap().unwrap();
    let forged = Snapshot {
        state: good.state.replace("|3.0000|", "|2.0000|"),
        ..good.clone()
    };
    assert_ne!(forged, good);
    let invented = Snapshot {
        position: Position(2),
        ..good.clone()
    };
    store.save_snapshot(&forged).await.unwrap();
    store.save_snapshot(&invented).await.unwrap();
    let loaded = BookAt::load(store.as_ref(), Position(u64::MAX)).await.unwrap();
    assert_eq!(loaded.position(), Position(3), "the older one holds");
    let below = BookAt::load(store.as_ref(), Position(2)).await.unwrap();
    assert_eq!(below.position(), Position::START, "an invented one is no snapshot");
    assert_eq!(live(&writer(&store).await).await, replay(&store).await);
}

pub async fn reads_see_one_position(store: Store) {
    let writer = writer(&store).await;
    some_history(&writer).await;
    let sums = writer.read(|book, position| {
        let totals = book.totals();
        (
            position,
            totals.values().map(|t| (t.debits, t.credits)).collect::<Vec<_>>(),
        )
    });
    assert_eq!(sums.await.unwrap(), (Position(3), vec![(100_000, 100_000)]));
}
