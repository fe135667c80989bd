//! JSON from users, where its fields are not ours: it must be of a size and a form that every reader of the log can
//! take: other readers hold numbers as doubles, and PostgreSQL's texts end where U+0000 stands.

use serde_json::Value;

/// The largest integer that a double tells from its neighbours.
const LARGEST_INTEGER: f64 = 9_007_199_254_740_991.0;

/// What is wrong with some JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidJson {
    /// Too much of it.
    #[error("has {found} bytes as JSON, at most {max} are possible")]
    TooLong {
        /// How long it may be.
        max: usize,
        /// How long it is.
        found: usize,
    },
    /// Too many values in values.
    #[error("is nested deeper than {max} levels")]
    TooDeep {
        /// How deep it may be.
        max: usize,
    },
    /// Readers would see another number.
    #[error("has the integer {0}, which is beyond 2^53 - 1: write it as a string")]
    Integer(String),
    /// PostgreSQL does not keep it in a text.
    #[error("has the character U+0000")]
    Null,
}

/// Checks size, depth, numbers and texts.
pub(crate) fn check(value: &Value, max_bytes: usize, max_depth: usize) -> Result<(), InvalidJson> {
    check_value(value, max_depth).map_err(|error| match error {
        InvalidJson::TooDeep { .. } => InvalidJson::TooDeep { max: max_depth },
        other => other,
    })?;
    let found = value.to_string().len();
    if found > max_bytes {
        return Err(InvalidJson::TooLong { max: max_bytes, found });
    }
    Ok(())
}

fn check_value(value: &Value, levels: usize) -> Result<(), InvalidJson> {
    let Some(below) = levels.checked_sub(1) else {
        return Err(InvalidJson::TooDeep { max: 0 });
    };
    match value {
        Value::Null | Value::Bool(_) => Ok(()),
        Value::Number(number) if number.is_f64() => Ok(()),
        Value::Number(number) => match number.as_f64() {
            Some(value) if value.abs() <= LARGEST_INTEGER => Ok(()),
            _ => Err(InvalidJson::Integer(number.to_string())),
        },
        Value::String(text) => check_text(text),
        Value::Array(values) => values.iter().try_for_each(|value| check_value(value, below)),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            check_text(name)?;
            check_value(value, below)
        }),
    }
}

fn check_text(text: &str) -> Result<(), InvalidJson> {
    match text.contains('\0') {
        true => Err(InvalidJson::Null),
        false => Ok(()),
    }
}
