//! How much work a schema and a deliverable make together. A schema of a few lines can take longer than the age of the
//! universe to check, where references double their target again and again or lead back to themselves. So references are
//! followed before a schema is taken, and what they unfold to is counted; what a deliverable is multiplied by that.

use super::InvalidRequirements;
use serde_json::{Map, Value};

/// The most that a schema may unfold to, in values.
const COST: usize = 2_000;
/// What a pattern costs beside the value that it is: it reads a text byte by byte, and in each byte many states.
const PATTERN_COST: usize = 100;
/// How much of a text counts as one value, in bytes.
const TEXT: usize = 32;
/// How deep a schema may unfold.
const DEPTH: usize = 64;
/// The dialect, for a schema that names one.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
/// What gives parts of a schema other names than their place, or asks for parts of other schemas.
pub(super) const REFUSED: [&str; 6] = [
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
];

/// How many parts a schema unfolds to. Refuses one that names another dialect, refers to anything but its own parts, or
/// unfolds to too much.
pub(super) fn of_schema(schema: &Value) -> Result<usize, InvalidRequirements> {
    let mut walk = Walk {
        schema,
        entered: Vec::new(),
        depth: 0,
    };
    walk.cost(schema)
}

/// How many values a deliverable has: names of fields are texts, too, and a longer text counts as several.
pub(super) fn of_value(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => of_text(text),
        Value::Array(values) => 1 + values.iter().map(of_value).sum::<usize>(),
        Value::Object(fields) => {
            let fields = fields.iter();
            1 + fields
                .map(|(name, value)| of_text(name) + of_value(value))
                .sum::<usize>()
        }
    }
}

fn of_text(text: &str) -> usize {
    1 + text.len() / TEXT
}

/// A walk through a schema, by way of its references.
struct Walk<'a> {
    schema: &'a Value,
    /// The references that were followed to where the walk is.
    entered: Vec<&'a str>,
    depth: usize,
}

impl<'a> Walk<'a> {
    /// The cost is checked on the way up, at every value: it cannot grow far beyond the limit, nor take long to find.
    fn cost(&mut self, value: &'a Value) -> Result<usize, InvalidRequirements> {
        if self.depth == DEPTH {
            return Err(problem(format!(
                "are nested deeper than {DEPTH} levels, references included"
            )));
        }
        self.depth += 1;
        let cost = match value {
            Value::Object(fields) => self.of_object(fields)?,
            Value::Array(values) => self.sum(values.iter())?,
            _ => 1,
        };
        self.depth -= 1;
        self.check_cost(cost)?;
        Ok(cost)
    }

    fn check_cost(&self, cost: usize) -> Result<(), InvalidRequirements> {
        if cost > COST {
            let limit = format!("are too large: with references and patterns they come to more than {COST} parts");
            return Err(problem(limit));
        }
        Ok(())
    }

    fn sum(&mut self, values: impl Iterator<Item = &'a Value>) -> Result<usize, InvalidRequirements> {
        let mut sum = 1;
        for value in values {
            sum += self.cost(value)?;
            self.check_cost(sum)?;
        }
        Ok(sum)
    }

    fn of_object(&mut self, fields: &'a Map<String, Value>) -> Result<usize, InvalidRequirements> {
        check_names(fields)?;
        let mut cost = self.sum(fields.values())?;
        if let Some(Value::String(reference)) = fields.get("$ref") {
            cost += self.follow(reference)?;
        }
        cost += patterns(fields) * PATTERN_COST;
        // To know what was not evaluated, all beside it is evaluated once more.
        if fields.contains_key("unevaluatedProperties") || fields.contains_key("unevaluatedItems") {
            cost *= 2;
        }
        Ok(cost)
    }

    fn follow(&mut self, reference: &'a str) -> Result<usize, InvalidRequirements> {
        // An escaped pointer could be read in two ways.
        let pointer = reference.strip_prefix('#').filter(|pointer| !pointer.contains('%'));
        let Some(target) = pointer.and_then(|pointer| self.schema.pointer(pointer)) else {
            let shown: String = reference.chars().take(100).collect();
            let hint = "references must name a part of the same schema, such as \"#/$defs/link\"";
            return Err(problem(format!("refer to {shown:?}: {hint}")));
        };
        if self.entered.contains(&reference) {
            return Err(problem(format!(
                "refer to {reference:?} from within itself: this could go on for ever"
            )));
        }
        self.entered.push(reference);
        let cost = self.cost(target)?;
        self.entered.pop();
        Ok(cost)
    }
}

/// A field of a deliverable may have any of these names; then what stands there is a schema, not a text.
fn check_names(fields: &Map<String, Value>) -> Result<(), InvalidRequirements> {
    if let Some(name) = REFUSED
        .iter()
        .find(|name| fields.get(**name).is_some_and(|value| !value.is_object()))
    {
        return Err(problem(format!(
            "use {name}: only \"$ref\" with a pointer such as \"#/$defs/link\" is possible"
        )));
    }
    match fields.get("$schema") {
        Some(Value::String(dialect)) if dialect.trim_end_matches('#') != DIALECT => Err(problem(format!(
            "name another dialect than {DIALECT:?}: leave $schema out"
        ))),
        _ => Ok(()),
    }
}

fn patterns(fields: &Map<String, Value>) -> usize {
    let pattern = usize::from(fields.get("pattern").is_some_and(Value::is_string));
    let properties = fields
        .get("patternProperties")
        .and_then(Value::as_object)
        .map_or(0, Map::len);
    pattern + properties
}

fn problem(problem: String) -> InvalidRequirements {
    InvalidRequirements { problem }
}
