//! What happens to some accounts is independent of what happens to others: two histories of different accounts can be
//! merged in any order, every command gets the same answer, and the end is the same.

use crate::config;
use crate::dice::Dice;
use crate::generator::Generator;
use crate::world::{Asked, Run, World};
use proptest::prelude::any;
use proptest::test_runner::TestRunner;
use std::cell::RefCell;
use viral_ledger::Book;

#[test]
fn independent_commands_commute() {
    let run = RefCell::new(Run::new());
    let steps = || proptest::collection::vec(any::<u64>(), 1..=60);
    let result = TestRunner::new(config(500)).run(&(steps(), steps(), any::<u64>()), |(left, right, order)| {
        let left = history("left:", &left, &mut run.borrow_mut());
        let right = history("other:", &right, &mut run.borrow_mut());
        let mut dice = Dice::new(order);
        let merged = merge(&left, &right, |_| true);
        for book in [
            merge(&left, &right, |left_is_next| left_is_next),
            merge(&right, &left, |_| true),
            merge(&left, &right, |_| dice.percent(50)),
            merge(&left, &right, |_| dice.percent(50)),
        ] {
            assert_eq!(book, merged);
            assert_eq!(book.state_hash(), merged.state_hash());
        }
        Ok(())
    });
    result.unwrap_or_else(|e| panic!("{e}"));
}

fn history(prefix: &'static str, steps: &[u64], run: &mut Run) -> Vec<Asked> {
    let generator = Generator {
        prefix,
        whole_book: false,
    };
    let mut world = World::new(generator);
    for seed in steps {
        world.step(run, *seed);
    }
    world.asked
}

/// Plays both histories into one book; `take_left` chooses whose turn it is, told whether the left one is earlier.
fn merge(left: &[Asked], right: &[Asked], mut take_left: impl FnMut(bool) -> bool) -> Book {
    let mut book = Book::new();
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while left.peek().is_some() || right.peek().is_some() {
        let earlier = match (left.peek(), right.peek()) {
            (Some(left), Some(right)) => left.now <= right.now,
            (left, _) => left.is_some(),
        };
        let left_is_next = right.peek().is_none() || (left.peek().is_some() && take_left(earlier));
        let next = if left_is_next { left.next() } else { right.next() };
        let asked = next.expect("one of them has more");
        let answer = book.decide(asked.id, asked.now, &asked.command);
        assert_eq!(answer, asked.answer);
        if let Ok(event) = answer {
            book.evolve(asked.now, &event).unwrap();
        }
    }
    book
}
