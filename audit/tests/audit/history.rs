//! A log with one of everything, written by the platform's own writer on a clock that the test moves.

use chrono::{DateTime, Duration, Utc};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use uuid::Uuid;
use viral_commands::{NewEvent, Part, Settings, Unit, Writer};
use viral_ledger::ids::reversal_of;
use viral_ledger::{
    Address, Amount, Asset, Code, Command, NewTransaction, NormalSide, Posting, Reference, ReversalEvent,
    ReversalRequested,
};
use viral_store::{EventStore, MemoryStore, Position, StreamId};

/// What is asked about, though it is no transaction.
pub(crate) const FIRST_ASKED: Uuid = Uuid::from_u128(0xa1);
pub(crate) const SECOND_ASKED: Uuid = Uuid::from_u128(0xa2);

/// A log that grows, and its time.
pub(crate) struct History {
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) writer: Writer,
    now: Arc<Mutex<DateTime<Utc>>>,
    next_id: u128,
}

pub(crate) fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

pub(crate) fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// `"10.00 CZK a -> b"`: ten crowns out of the account `a`, which is debited, into `b`, which is credited.
pub(crate) fn posting(text: &str) -> Posting {
    let words: Vec<&str> = text.split(' ').collect();
    let [amount, asset, debit, "->", credit] = words[..] else {
        panic!("{text}")
    };
    let asset = Asset::parse(asset).unwrap();
    Posting {
        debit: address(debit),
        credit: address(credit),
        amount: Amount::parse(amount, asset).unwrap(),
        asset,
    }
}

pub(crate) fn transaction(postings: &[&str]) -> NewTransaction {
    NewTransaction {
        code: Code::TRANSFER,
        description: None,
        effective_at: None,
        metadata: BTreeMap::new(),
        postings: postings.iter().map(|text| posting(text)).collect(),
        reference: None,
    }
}

impl History {
    /// An empty log at noon of the first of January.
    pub(crate) async fn new() -> History {
        let store: Arc<dyn EventStore> = Arc::new(MemoryStore::new(Uuid::from_u128(1)));
        let now = Arc::new(Mutex::new(time("2026-01-01T12:00:00Z")));
        let clock = now.clone();
        let settings = Settings {
            clock: Some(Arc::new(move || *clock.lock().unwrap())),
            ..Settings::default()
        };
        let (writer, _task) = Writer::start(store.clone(), settings).await.unwrap();
        History {
            store,
            writer,
            now,
            next_id: 100,
        }
    }

    /// Moves the clock.
    pub(crate) fn pass(&self, duration: Duration) {
        *self.now.lock().unwrap() += duration;
    }

    /// Appends a unit with the next of a row of ids, and answers that id.
    pub(crate) async fn append(&mut self, parts: Vec<Part>) -> Uuid {
        self.next_id += 1;
        let id = Uuid::from_u128(self.next_id);
        self.append_as(id, parts).await;
        id
    }

    pub(crate) async fn append_as(&mut self, id: Uuid, parts: Vec<Part>) {
        let unit = Unit::new(id, parts)
            .with_actor("tester")
            .with_request_hash(format!("{:064x}", id.as_u128()));
        self.writer.append(unit).await.unwrap();
    }

    pub(crate) async fn command(&mut self, command: Command) -> Uuid {
        self.append(vec![Part::Ledger { id: None, command }]).await
    }

    pub(crate) async fn open(
        &mut self,
        account: &str,
        asset: &str,
        normal_side: NormalSide,
        may_go_negative: bool,
    ) -> Uuid {
        self.command(Command::OpenAccount {
            account: address(account),
            asset: Asset::parse(asset).unwrap(),
            normal_side,
            may_go_negative,
        })
        .await
    }

    pub(crate) async fn post(&mut self, postings: &[&str]) -> Uuid {
        self.command(Command::Post(transaction(postings))).await
    }

    pub(crate) async fn head(&self) -> Position {
        self.store.head().await.unwrap().position
    }

    /// One of everything: 20 events.
    pub(crate) async fn of_everything() -> History {
        let mut log = History::new().await;
        log.open("bank:cash", "CZK", NormalSide::Debit, true).await; // 1
        log.open("customer:1", "CZK", NormalSide::Credit, false).await; // 2
        log.open("customer:2", "CZK", NormalSide::Credit, false).await; // 3
        log.pass(Duration::hours(24));
        log.post(&["900.00 CZK bank:cash -> customer:1"]).await; // 4
        let mut dated = transaction(&[
            "50.00 CZK customer:1 -> customer:2",
            "0.50 CZK customer:1 -> customer:2",
        ]);
        dated.effective_at = Some(time("2025-12-31T00:00:00Z"));
        dated.description = Some("half; *quoted* \"text\" \\ | é".to_owned());
        dated.reference = Some(Reference {
            kind: "invoice".to_owned(),
            id: "7, 100%".to_owned(),
        });
        dated.metadata = [("note".to_owned(), "kept".to_owned())].into();
        let wrong = log.command(Command::Post(dated)).await; // 5
        // Events that are not the book's, and say nothing of what the book does beside them.
        let asked = |original: Uuid, reason: &str| {
            let event = ReversalEvent::Requested(ReversalRequested {
                original,
                reason: Some(reason.to_owned()),
                reversal: reversal_of(original),
            });
            NewEvent::new(event.event_type(), event.version(), &event).unwrap()
        };
        let asking = |original: Uuid, expected, reasons: &[&str]| Part::Events {
            stream: StreamId::new(ReversalEvent::AGGREGATE_TYPE, original.to_string()),
            expected,
            events: reasons.iter().map(|reason| asked(original, reason)).collect(),
        };
        let post = Command::Post(transaction(&["1.00 CZK customer:1 -> customer:2"]));
        let parts = vec![
            asking(FIRST_ASKED, 0, &["a", "b"]),
            Part::Ledger {
                id: None,
                command: post,
            },
        ];
        log.append(parts).await; // 6, 7, 8
        let hold = |amount: &str, expires_at| Command::PlaceHold {
            account: address("customer:1"),
            amount: Amount::parse(amount, Asset::parse("CZK").unwrap()).unwrap(),
            asset: Asset::parse("CZK").unwrap(),
            expires_at,
            reference: None,
        };
        let captured = log.command(hold("30.00", None)).await; // 9
        let voided = log.command(hold("20.00", None)).await; // 10
        let expired = log.command(hold("10.00", Some(time("2026-01-03T00:00:00Z")))).await; // 11
        let capture = transaction(&["25.00 CZK customer:1 -> customer:2"]);
        log.command(Command::Capture {
            hold: captured,
            transaction: capture,
        })
        .await; // 12
        log.command(Command::VoidHold {
            hold: voided,
            reason: None,
        })
        .await; // 13
        log.pass(Duration::hours(48));
        log.command(Command::ExpireHold { hold: expired }).await; // 14
        let reverse = Command::Reverse {
            original: wrong,
            postings: vec![
                posting("50.00 CZK customer:1 -> customer:2"),
                posting("0.50 CZK customer:1 -> customer:2"),
            ],
            is_reversal: false,
            reason: Some("wrong customer".to_owned()),
        };
        log.append_as(
            reversal_of(wrong),
            vec![Part::Ledger {
                id: None,
                command: reverse,
            }],
        )
        .await; // 15
        log.writer.snapshot().await.unwrap(); // 16
        log.append(vec![asking(FIRST_ASKED, 2, &["c"])]).await; // 17
        log.command(Command::ClosePeriod {
            through: "2026-01-02".parse().unwrap(),
        })
        .await; // 18
        log.command(Command::FreezeAccount {
            account: address("customer:2"),
            reason: None,
        })
        .await; // 19
        log.append(vec![asking(SECOND_ASKED, 0, &["d"])]).await; // 20
        assert_eq!(log.head().await, Position(20));
        log
    }
}
