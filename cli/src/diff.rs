//! What `viral audit diff` found, as text or JSON.

use serde_json::json;
use viral_projections::{ClickHouseReport, Difference, Report};

/// For people: a line for each read model, then each difference with both values and the event behind it.
pub(crate) fn to_text(report: &Report) -> String {
    let mut text = String::new();
    for compared in &report.compared {
        let (name, rows, position) = (&compared.name, compared.rows, compared.position);
        text.push_str(&format!("{name:<14} {rows:>9} rows as of position {position}\n"));
        if let Some(problem) = &compared.problem {
            text.push_str(&format!("  stopped: {problem}\n"));
        }
    }
    for parked in &report.parked {
        let why = parked
            .problem
            .as_deref()
            .unwrap_or("an earlier event of its aggregate is left out");
        let (name, position, event_type) = (&parked.projection, parked.position, &parked.event_type);
        text.push_str(&format!(
            "{name}: position {position} {event_type} of {} is left out: {why}\n",
            parked.stream
        ));
    }
    report
        .differences
        .iter()
        .for_each(|difference| text.push_str(&line(difference)));
    text.push_str(match report.holds() {
        true => "holds: every row and column is as the log says\n",
        false => "does not hold\n",
    });
    text
}

fn line(difference: &Difference) -> String {
    let nothing = "nothing".to_owned();
    let (table, key) = (&difference.table, &difference.key);
    let place = match &difference.column {
        Some(column) => format!("{table} {key} {column}"),
        None => format!("{table} {key}"),
    };
    let last = match (difference.position, &difference.event_type) {
        (Some(position), Some(event_type)) => format!("last touched by {event_type} at position {position}"),
        (Some(position), None) => format!("last touched at position {position}"),
        _ => "touched by no event".to_owned(),
    };
    let expected = difference.expected.as_ref().unwrap_or(&nothing);
    let actual = difference.actual.as_ref().unwrap_or(&nothing);
    format!("{place}: the log says {expected}, the table {actual}; {last}\n")
}

/// For programs: one object.
pub(crate) fn to_json(report: &Report) -> String {
    let compared = report.compared.iter().map(|compared| {
        json!({
            "name": compared.name, "version": compared.version, "position": compared.position.to_string(),
            "rows": compared.rows, "problem": compared.problem,
        })
    });
    let differences = report.differences.iter().map(|difference| {
        json!({
            "table": difference.table, "key": difference.key, "column": difference.column,
            "expected": difference.expected, "actual": difference.actual,
            "position": difference.position.map(|position| position.to_string()),
            "event_type": difference.event_type,
        })
    });
    let parked = report.parked.iter().map(|parked| {
        json!({
            "projection": parked.projection, "position": parked.position.to_string(),
            "aggregate": parked.stream.to_string(), "event_type": parked.event_type, "problem": parked.problem,
        })
    });
    let report = json!({
        "holds": report.holds(),
        "compared": compared.collect::<Vec<_>>(),
        "differences": differences.collect::<Vec<_>>(),
        "parked": parked.collect::<Vec<_>>(),
    });
    report.to_string() + "\n"
}

/// What the comparison of ClickHouse found, for people.
pub(crate) fn clickhouse_to_text(report: &ClickHouseReport) -> String {
    let (events, entries, sums, position) = (report.events, report.entries, report.sums, report.position);
    let mut text =
        format!("clickhouse: {events} events, {entries} entries and {sums} sums as of position {position}\n");
    let nothing = "nothing".to_owned();
    for difference in &report.differences {
        let place = match difference.position {
            Some(position) => format!("{} at position {position}", difference.table),
            None => difference.table.to_owned(),
        };
        let expected = difference.expected.as_ref().unwrap_or(&nothing);
        let actual = difference.actual.as_ref().unwrap_or(&nothing);
        text.push_str(&format!("{place}: the log says {expected}, ClickHouse {actual}\n"));
    }
    text.push_str(&match (report.holds(), report.first()) {
        (true, _) => "holds: every row and column up to the watermark is as the log says\n".to_owned(),
        (false, Some(first)) => format!("does not hold: position {first} is the first that differs\n"),
        (false, None) => "does not hold\n".to_owned(),
    });
    text
}

/// For programs: one object.
pub(crate) fn clickhouse_to_json(report: &ClickHouseReport) -> String {
    let differences = report.differences.iter().map(|difference| {
        json!({
            "table": difference.table, "position": difference.position.map(|position| position.to_string()),
            "expected": difference.expected, "actual": difference.actual,
        })
    });
    let report = json!({
        "holds": report.holds(),
        "position": report.position.to_string(),
        "events": report.events,
        "entries": report.entries,
        "sums": report.sums,
        "first_difference": report.first().map(|position| position.to_string()),
        "differences": differences.collect::<Vec<_>>(),
    });
    report.to_string() + "\n"
}
