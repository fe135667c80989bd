//! What payouts do to the ledger: the V-Coin waits, then it is either redeemed or back in the wallet.

use super::*;
use crate::effects::{self, Effect};
use crate::ids::OnRampId;
use crate::on_ramp::{OnRamp, OnRampCommand};
use crate::{Aggregate, DomainEvent};
use chrono::DateTime;
use viral_ledger::{Address, Book};

/// A book with one wallet that has the whole 2,000 VCOIN, bought for 20.00 USD.
fn book() -> Book {
    let mut book = Book::new();
    let terms = Terms::default();
    let open = effects::platform_accounts(terms.fiat).into_iter();
    let open = open.map(|command| Effect { id: None, command });
    post(&mut book, open.collect());
    post(&mut book, vec![effects::open(effects::wallet(creator()))]);
    let purchase = OnRampCommand::Complete {
        on_ramp: OnRampId::of("ch_1"),
        user: creator(),
        fiat: usd("20.00"),
        fiat_entry: "ch_1".to_owned(),
        terms,
        transaction: Uuid::from_u128(0xf),
    };
    for event in OnRamp::default().decide(&purchase).unwrap() {
        post(&mut book, event.effects());
    }
    book
}

fn post(book: &mut Book, effects: Vec<Effect>) {
    let now = DateTime::UNIX_EPOCH;
    for effect in effects {
        let id = effect.id.unwrap_or(Uuid::nil());
        let event = book.decide(id, now, &effect.command).unwrap();
        book.evolve(now, &event).unwrap();
    }
}

/// The balances after these commands: wallet, waiting, issued, backing, at the bank.
fn balances(commands: &[PayoutCommand]) -> [String; 5] {
    let (mut book, mut payout_state) = (book(), Payout::default());
    for command in commands {
        for event in payout_state.decide(command).unwrap() {
            post(&mut book, event.effects());
            payout_state.evolve(&event);
        }
    }
    let fiat = usd("0").asset;
    let addresses = [
        effects::wallet(creator()),
        effects::pending(payout()),
        effects::issuance(),
        effects::backing(fiat),
        effects::clearing(fiat),
    ];
    addresses.map(|address| balance(&book, &address))
}

/// Without its sign: each account only grows on its own side.
fn balance(book: &Book, address: &Address) -> String {
    let account = book.account(address).unwrap();
    account
        .asset
        .decimal((account.debits.minor() - account.credits.minor()).abs())
}

#[test]
fn a_settled_payout_redeems_the_v_coin() {
    let sponsor = sponsor().to_string();
    let mut commands = vec![PayoutCommand::Request(request())];
    let waiting = ["0.0000", "2000.0000", "2000.0000", "20.00", "20.00"];
    assert_eq!(balances(&commands), waiting);
    commands.extend([
        approve_as_sponsor(&sponsor),
        approve_as_admin("admin"),
        submit(),
        lose_sight(),
    ]);
    assert_eq!(balances(&commands), waiting);
    commands.push(settle());
    assert_eq!(balances(&commands), ["0.0000", "0.0000", "0.0000", "0.00", "0.00"]);
}

#[test]
fn a_payout_without_payment_gives_everything_back() {
    let sponsor = sponsor().to_string();
    let sent = [
        approve_as_sponsor(&sponsor),
        approve_as_admin("admin"),
        submit(),
        fail(true),
    ];
    for end in [vec![reject()], vec![cancel()], sent.to_vec()] {
        let commands = [vec![PayoutCommand::Request(request())], end].concat();
        assert_eq!(
            balances(&commands),
            ["2000.0000", "0.0000", "2000.0000", "20.00", "20.00"]
        );
    }
}
