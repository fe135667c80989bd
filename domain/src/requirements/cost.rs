//! How much work a schema and a deliverable make together. A schema of a few lines can take longer than the age of the
//! universe to check, where references double their target again and again or lead back to themselves. So references are
//! followed before a schema is taken, and what they unfold to is counted; what a deliverable is multiplied by that.

use super::InvalidRequirements;
use serde_json::{Map, Value};

/// The most that a schema may unfold to, in values.
const COST: usize = 2_000;
/// What a pattern costs beside the value that it is: it reads a text byte by byte, and in each byte many states.
const PATTERN_COST: usize = 100;
/// How much of a text counts as one value for a pattern, in bytes.
const TEXT: usize = 32;
/// Of a part with nothing in it.
const ONE: Cost = Cost { parts: 1, patterns: 0 };
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

/// What a schema unfolds to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    parts: usize,
    patterns: usize,
}

impl Cost {
    fn and(self, other: Cost) -> Cost {
        Cost {
            parts: self.parts + other.parts,
            patterns: self.patterns + other.patterns,
        }
    }

    fn total(self) -> usize {
        self.parts + self.patterns * PATTERN_COST
    }

    /// How much work it is to check a deliverable of this size: each part meets each value, and only patterns read texts.
    pub(super) fn of_checking(self, size: Size) -> usize {
        let parts = self.parts.saturating_mul(size.values);
        let patterns = (self.patterns * PATTERN_COST).saturating_mul(size.values + size.texts);
        parts.saturating_add(patterns)
    }
}

/// How large a deliverable is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// How many values it has, with the names of fields.
    values: usize,
    /// How long its texts and names are, in units of [`TEXT`].
    texts: usize,
}

impl Size {
    fn of_text(text: &str) -> Size {
        Size {
            values: 1,
            texts: text.len() / TEXT,
        }
    }

    fn and(self, other: Size) -> Size {
        Size {
            values: self.values + other.values,
            texts: self.texts + other.texts,
        }
    }
}

/// What a schema unfolds to. Refuses one that names another dialect, refers to anything but its own parts, or unfolds to too
/// much.
pub(super) fn of_schema(schema: &Value) -> Result<Cost, InvalidRequirements> {
    let mut walk = Walk {
        schema,
        entered: Vec::new(),
        depth: 0,
    };
    walk.cost(schema)
}

/// How large a deliverable is.
pub(super) fn of_value(value: &Value) -> Size {
    let one = Size { values: 1, texts: 0 };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => one,
        Value::String(text) => Size::of_text(text),
        Value::Array(values) => values.iter().map(of_value).fold(one, Size::and),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| Size::of_text(name).and(of_value(value)))
            .fold(one, Size::and),
    }
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
    fn cost(&mut self, value: &'a Value) -> Result<Cost, InvalidRequirements> {
        if self.depth == DEPTH {
            return Err(problem(format!(
                "are nested deeper than {DEPTH} levels, references included"
            )));
        }
        self.depth += 1;
        let cost = match value {
            Value::Object(fields) => self.of_object(fields)?,
            Value::Array(values) => self.sum(values.iter())?,
            _ => ONE,
        };
        self.depth -= 1;
        self.check_cost(cost)?;
        Ok(cost)
    }

    fn check_cost(&self, cost: Cost) -> Result<(), InvalidRequirements> {
        if cost.total() > COST {
            let limit = format!("are too large: with references and patterns they come to more than {COST} parts");
            return Err(problem(limit));
        }
        Ok(())
    }

    fn sum(&mut self, values: impl Iterator<Item = &'a Value>) -> Result<Cost, InvalidRequirements> {
        let mut sum = ONE;
        for value in values {
            sum = sum.and(self.cost(value)?);
            self.check_cost(sum)?;
        }
        Ok(sum)
    }

    fn of_object(&mut self, fields: &'a Map<String, Value>) -> Result<Cost, InvalidRequirements> {
        check_names(fields)?;
        let mut cost = self.sum(fields.values())?;
        if let Some(Value::String(reference)) = fields.get("$ref") {
            cost = cost.and(self.follow(reference)?);
        }
        cost.patterns += patterns(fields);
        // To know what was not evaluated, all beside it is evaluated once more.
        if fields.contains_key("unevaluatedProperties") || fields.contains_key("unevaluatedItems") {
            cost = cost.and(cost);
        }
        Ok(cost)
    }

    fn follow(&mut self, reference: &'a str) -> Result<Cost, InvalidRequirements> {
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
