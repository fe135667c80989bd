//! A state machine as a table of text: every command in every state, and what comes of it.

use crate::aggregate::{Aggregate, Refusal};
use std::fmt::Write;

/// Compares a machine with its table. A column is a state with the past that leads to it, a row a command. A cell is the
/// state after the command as `state` names it, or the code of the refusal, or `-` where the command does not fit the
/// status. In the table, lines that begin with `#` are left out and spaces count as one.
pub(crate) fn assert_machine<A: Aggregate>(
    table: &str,
    columns: &[(&str, Vec<A::Event>)],
    rows: &[(&str, A::Command)],
    state: impl Fn(&A) -> &'static str,
) {
    let mut actual = "command".to_owned();
    for (name, _) in columns {
        write!(actual, " {name}").unwrap();
    }
    for (name, command) in rows {
        write!(actual, "\n{name}").unwrap();
        for (_, past) in columns {
            write!(actual, " {}", cell(past, command, &state)).unwrap();
        }
    }
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    let expected: Vec<String> = lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(actual.lines().collect::<Vec<_>>(), expected);
}

fn cell<A: Aggregate>(past: &[A::Event], command: &A::Command, state: impl Fn(&A) -> &'static str) -> &'static str {
    let mut aggregate = A::default();
    past.iter().for_each(|event| aggregate.evolve(event));
    match aggregate.decide(command) {
        Err(error) if error.code().ends_with("_wrong_status") => "-",
        Err(error) => error.code(),
        Ok(events) => {
            assert!(!events.is_empty(), "{command:?} was accepted without an event");
            events.iter().for_each(|event| aggregate.evolve(event));
            state(&aggregate)
        }
    }
}
