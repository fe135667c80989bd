//! RFC 8785 (JSON Canonicalization Scheme): one text for one value, so that bytes can be hashed and compared.

use serde::Serialize;

/// A text that is not the canonical form of a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    /// Not JSON at all, or with a number that JSON's doubles cannot hold.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON, but not an object.
    #[error("not a JSON object")]
    NotAnObject,
    /// The same object has another canonical text: other order, spacing, escapes, number format or a doubled key.
    #[error("not in canonical form (RFC 8785): byte {at} differs from the canonical text")]
    OtherText {
        /// The first byte that differs, from 0.
        at: usize,
    },
}

/// The canonical text of a value.
pub fn to_text<T: Serialize>(value: &T) -> Result<String, serde_json::Error> {
    serde_json_canonicalizer::to_string(value)
}

/// Checks that a text is the canonical form of a JSON object.
pub fn check_object(text: &str) -> Result<(), NotCanonical> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|e| NotCanonical::NotJson(e.to_string()))?;
    if !value.is_object() {
        return Err(NotCanonical::NotAnObject);
    }
    let canonical = to_text(&value).map_err(|e| NotCanonical::NotJson(e.to_string()))?;
    if canonical == text {
        return Ok(());
    }
    let same = text.bytes().zip(canonical.bytes()).take_while(|(a, b)| a == b).count();
    Err(NotCanonical::OtherText { at: same })
}

/// Appends a JSON string literal, escaped as RFC 8785 demands (the same escapes as `serde_json`'s).
pub(crate) fn push_string(line: &mut String, text: &str) {
    let plain = |b: u8| b >= 0x20 && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        line.push('"');
        line.push_str(text);
        line.push('"');
    } else {
        line.push_str(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_objects_pass() {
        for text in ["{}", r#"{"a":1,"b":[true,null,"é\n"]}"#, r#"{"a":1e+21,"b":0.1}"#] {
            assert_eq!(check_object(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn other_texts_are_found() {
        for text in [
            r#"{"b":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":"\u0041"}"#,
        ] {
            assert!(
                matches!(check_object(text), Err(NotCanonical::OtherText { .. })),
                "{text}"
            );
        }
        assert!(matches!(check_object("{"), Err(NotCanonical::NotJson(_))));
        assert_eq!(check_object("[]"), Err(NotCanonical::NotAnObject));
    }
}
