//! Ten thousand histories and more, each checked at every step and replayed at its end.

use crate::config;
use crate::generator::Generator;
use crate::tally::Tally;
use crate::world::{Run, World, assert_same};
use proptest::test_runner::{Config, TestError, TestRunner};
use std::cell::RefCell;
use std::io::Write;
use viral_ledger::Book;

const HISTORIES: u32 = 10_000;
const GENERATOR: Generator = Generator {
    prefix: "",
    whole_book: true,
};

#[test]
fn every_history_keeps_the_rules() {
    let config = config(HISTORIES);
    let threads = u32::try_from(std::thread::available_parallelism().map_or(1, usize::from)).unwrap();
    let share = Config {
        cases: config.cases.div_ceil(threads),
        ..config
    };
    let tallies = std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| run_histories(share.clone())))
            .collect();
        running
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    let mut total = Tally::default();
    tallies.into_iter().for_each(|tally| total.add(tally));
    // Past the capture of the test harness: whoever runs the tests sees what they reached.
    let _ = write!(std::io::stderr(), "\n{}", total.report());
    assert!(total.histories >= u64::from(HISTORIES));
    total.assert_reached();
}

fn run_histories(config: Config) -> Tally {
    let run = RefCell::new(Run::new());
    let steps = proptest::collection::vec(proptest::num::u64::ANY, 1..=200);
    let result = TestRunner::new(config).run(&steps, |steps| {
        play(&mut run.borrow_mut(), &steps);
        Ok(())
    });
    if let Err(TestError::Fail(_, steps)) = &result {
        let mut aloud = Run::new();
        aloud.aloud = true;
        // Fails again, this time telling its steps.
        play(&mut aloud, steps);
    }
    result.unwrap_or_else(|e| panic!("{e}"));
    run.into_inner().tally
}

fn play(run: &mut Run, steps: &[u64]) {
    let mut world = World::new(GENERATOR);
    // A few steps are made, rolled back and made again, as the writer does when a commit fails.
    let length = u64::try_from(steps.len()).unwrap();
    let start = usize::try_from(steps[0] % length).unwrap();
    let end = (start + 12).min(steps.len());
    for seed in &steps[..start] {
        world.step(run, *seed);
    }
    let middle = (world.book.state_text(), world.book.sequence());
    rolled_back(run, &mut world, &steps[start..end]);
    for seed in &steps[start..] {
        world.step(run, *seed);
    }
    world.check_text();
    run.tally.histories += 1;

    let mut replayed = Book::new();
    for (recorded_at, event) in world.events() {
        replayed.evolve(recorded_at, event).unwrap();
    }
    assert_same(&replayed, &world.book);
    assert_eq!(replayed.state_hash(), world.book.state_hash());

    // From a snapshot in the middle, and the tail.
    let mut resumed = Book::from_state_text(&middle.0, middle.1).unwrap();
    for (recorded_at, event) in world.events().skip(usize::try_from(middle.1).unwrap()) {
        resumed.evolve(recorded_at, event).unwrap();
    }
    assert_same(&resumed, &world.book);
}

/// Makes the steps after a savepoint, with another savepoint in between, and returns to where it was.
fn rolled_back(run: &mut Run, world: &mut World, steps: &[u64]) {
    let before = world.clone();
    let outer = world.book.savepoint();
    let (first, second) = steps.split_at(steps.len() / 2);
    for seed in first {
        world.step(run, *seed);
    }
    let between = world.clone();
    let inner = world.book.savepoint();
    for seed in second {
        world.step(run, *seed);
    }
    world.book.rollback(inner);
    assert_same(&world.book, &between.book);
    world.book.rollback(outer);
    assert_same(&world.book, &before.book);
    world.book.forget();
    let book = std::mem::take(&mut world.book);
    *world = World { book, ..before };
    run.tally.checked("rollback");
}
