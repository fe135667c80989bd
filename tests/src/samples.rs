//! Units that many tests use.

use uuid::Uuid;
use viral_commands::{NewEvent, Part, Unit};
use viral_domain::user::{Registered, Role, UserEvent};
use viral_domain::{DomainEvent as _, Sealed, UserId};
use viral_ledger::{Address, Amount, Asset, Code, Command, NewTransaction, NormalSide, Posting};
use viral_store::StreamId;

/// An address.
pub fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

/// Opens an account of V-Coin that may go negative or not.
pub fn open(account: &str, may_go_negative: bool) -> Unit {
    let command = Command::OpenAccount {
        account: address(account),
        asset: Asset::VCOIN,
        normal_side: NormalSide::Credit,
        may_go_negative,
    };
    Unit::ledger(Uuid::now_v7(), command).with_actor("tester")
}

/// The command to move V-Coin.
pub fn post(debit: &str, credit: &str, amount: &str) -> Command {
    Command::Post(NewTransaction {
        code: Code::TRANSFER,
        description: None,
        effective_at: None,
        metadata: Default::default(),
        postings: vec![Posting {
            debit: address(debit),
            credit: address(credit),
            amount: Amount::parse(amount, Asset::VCOIN).unwrap(),
            asset: Asset::VCOIN,
        }],
        reference: None,
    })
}

/// Moves V-Coin.
pub fn transfer(debit: &str, credit: &str, amount: &str) -> Unit {
    Unit::ledger(Uuid::now_v7(), post(debit, credit, amount)).with_actor("tester")
}

/// An event of a login, which the platform knows and which moves nothing.
pub fn claimed() -> NewEvent {
    let payload = serde_json::json!({"type": "login.claimed", "user": Uuid::now_v7()});
    NewEvent::new("login.claimed", "1", &payload).unwrap()
}

/// Somebody becomes a sponsor, whose profile nobody can read, and gets a wallet.
pub fn registered() -> Vec<Part> {
    let user = UserId(Uuid::now_v7());
    let event = UserEvent::Registered(Registered {
        profile: Sealed {
            ct: "c2VhbGVk".repeat(3),
            key: Uuid::now_v7(),
            nonce: "A".repeat(16),
            person: user.0,
        },
        role: Role::Sponsor,
        user,
    });
    let effects = event.effects().into_iter();
    let ledger = effects.map(|effect| Part::Ledger {
        id: effect.id,
        command: effect.command,
    });
    let registered = Part::Events {
        stream: StreamId::new("user", user.0.to_string()),
        expected: 0,
        events: vec![NewEvent::new(event.event_type(), event.version(), &event).unwrap()],
    };
    std::iter::once(registered).chain(ledger).collect()
}

/// An event that says something, and is of no type that the platform knows.
pub fn note(text: &str) -> NewEvent {
    let payload = serde_json::json!({"type": "note.taken", "text": text});
    NewEvent::new("note.taken", "1", &payload).unwrap()
}

/// Events of one stream.
pub fn notes(stream: &StreamId, expected: u64, texts: &[&str]) -> Part {
    Part::Events {
        stream: stream.clone(),
        expected,
        events: texts.iter().map(|text| note(text)).collect(),
    }
}
