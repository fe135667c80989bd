//! The worked queries of the documentation, on many measurements of engagement.

use super::super::RUNS;
use super::super::figures::median;
use super::report::{Queries, Query};
use super::{Bed, failed};
use crate::Error;
use std::time::Instant;

const ROWS: u64 = 10_000_000;
const STEPS: u64 = 10;
const CAMPAIGNS: u64 = 200;
const CREATORS: u64 = 5_000;
const MONTH_SECONDS: u64 = 30 * 24 * 60 * 60;
/// The text that has them.
const DOCUMENTATION: &str = include_str!("../../../../docs/ANALYTICS.md");

/// In a database that has the log; its measurements are replaced.
pub(super) async fn measure(bed: &Bed<'_>, database: &str) -> Result<Queries, Error> {
    let client = bed.engine.client(database);
    let emptied = client.query_raw("TRUNCATE TABLE engagement_rows").execute().await;
    emptied.map_err(failed("removing the measurements of before"))?;
    for step in 0..STEPS {
        eprintln!("measurements for the worked queries, {} of {STEPS}", step + 1);
        let inserted = client.query_raw(&rows(step)).execute().await;
        inserted.map_err(failed("making measurements"))?;
    }
    bed.engine.settle().await?;
    let mut queries = Vec::new();
    for (name, statement) in worked(DOCUMENTATION) {
        eprintln!("query: {name}");
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let began = Instant::now();
            let answered = async { client.query_raw(statement).fetch_bytes("JSONEachRow")?.collect().await };
            answered.await.map_err(failed(name))?;
            times.push(began.elapsed().as_secs_f64());
        }
        queries.push(Query {
            name: name.to_owned(),
            seconds: median(&times),
        });
    }
    Ok(Queries {
        measurements: ROWS,
        queries,
    })
}

/// The statement that makes the rows of a step. They are about the campaigns and creators of the log, and about others if
/// those are too few.
fn rows(step: u64) -> String {
    let (count, first) = (ROWS / STEPS, ROWS / STEPS * step);
    let id = |known: &str, random: &str, of: u64| {
        let index = format!("({random} % {of})");
        let other = format!("toUUID(concat('00000000-0000-4000-8000-', leftPad(toString({index}), 12, '0')))");
        format!("if({index} < length({known}), {known}[{index} + 1], {other})")
    };
    let campaign = id("campaign_ids", "random", CAMPAIGNS);
    let creator = id("creator_ids", "intHash64(random)", CREATORS);
    format!(
        "INSERT INTO engagement_rows (platform, id, version, campaign_id, creator_id, timestamp, impressions, clicks, \
         watch_time, conversions) \
         WITH (SELECT groupArray(campaign_id) FROM (SELECT campaign_id FROM campaigns LIMIT {CAMPAIGNS})) AS campaign_ids, \
         (SELECT groupArray(creator_id) FROM (SELECT creator_id FROM creators LIMIT {CREATORS})) AS creator_ids, \
         intHash64(number) AS random \
         SELECT ['instagram', 'tiktok', 'twitch', 'youtube'][number % 4 + 1], concat('made-', toString(number)), 1, \
         {campaign}, {creator}, now64(6, 'UTC') - toIntervalSecond(intHash64(number + 1) % {MONTH_SECONDS}), \
         random % 100000, random % 1000, random % 500000, random % 100 \
         FROM numbers({first}, {count})"
    )
}

/// The statements in a text, each with the line above it.
fn worked(text: &str) -> Vec<(&str, &str)> {
    let mut blocks = text.split("```sql\n");
    let mut above = blocks.next().unwrap_or_default();
    let named = blocks.map(|rest| {
        let name = above.trim_end().lines().next_back().unwrap_or_default();
        let (statement, after) = rest.split_once("```").unwrap_or((rest, ""));
        above = after;
        (name.trim_start_matches(['#', ' ']), statement)
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_of_the_documentation_has_a_name() {
        let queries = worked(DOCUMENTATION);
        assert!(queries.len() >= 12, "{queries:?}");
        for (name, statement) in &queries {
            assert!(!name.is_empty() && !name.contains("```"), "{name:?}: {statement}");
            assert!(
                statement.starts_with("SELECT") || statement.starts_with("WITH"),
                "{statement}"
            );
        }
        assert_eq!(queries[0].0, "How fresh is it?");
        assert_eq!(
            worked("## A\n\n```sql\nB\n```\nC:\n```sql\nD"),
            [("A", "B\n"), ("C:", "D")]
        );
        assert!(worked("nothing").is_empty());
    }
}
