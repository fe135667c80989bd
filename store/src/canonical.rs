//! RFC 8785 (JSON Canonicalization Scheme): one text for one value, so that bytes can be hashed and compared.

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

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
    let mut written = String::with_capacity(text.len());
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Rewriter(&mut written)
        .deserialize(&mut reader)
        .and_then(|()| reader.end());
    match read {
        Ok(()) if !written.starts_with('{') => Err(NotCanonical::NotAnObject),
        Ok(()) if written == text => Ok(()),
        // It is JSON as far as it was read, and something of it has to be written in another way.
        Err(error) if !error.is_data() => Err(NotCanonical::NotJson(error.to_string())),
        _ => {
            let same = text.bytes().zip(written.bytes()).take_while(|(a, b)| a == b).count();
            Err(NotCanonical::OtherText { at: same })
        }
    }
}

/// Writes a value in canonical form while it is read, and fails where that would need another order of keys.
struct Rewriter<'a>(&'a mut String);

impl Rewriter<'_> {
    fn number<E: Error>(self, value: &impl Serialize) -> Result<(), E> {
        self.0.push_str(&to_text(value).map_err(E::custom)?);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Rewriter<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Rewriter<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.push_str("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.number(&value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.number(&value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.number(&value)
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        push_string(self.0, value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        self.0.push('[');
        while values.next_element_seed(Rewriter(self.0))?.is_some() {
            self.0.push(',');
        }
        if self.0.ends_with(',') {
            self.0.pop();
        }
        self.0.push(']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<(), A::Error> {
        let mut previous: Option<Cow<'de, str>> = None;
        self.0.push('{');
        while let Some(key) = values.next_key_seed(Key)? {
            if let Some(previous) = &previous {
                if !previous.encode_utf16().lt(key.encode_utf16()) {
                    return Err(Error::custom("keys are not in order"));
                }
                self.0.push(',');
            }
            push_string(self.0, &key);
            self.0.push(':');
            values.next_value_seed(Rewriter(self.0))?;
            previous = Some(key);
        }
        self.0.push('}');
        Ok(())
    }
}

/// The key of an object, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
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
    fn what_passes_is_what_a_value_is_written_as() {
        for text in [
            "{}",
            r#"{"a":[],"b":{},"c":[[1,-2],{"a":",","b":[",",""]}],"d":0,"e":9007199254740992}"#,
            r#"{"a":[0.5,1e-7,1e+21,-1.5],"b":[true,null]}"#,
            "{\"a\\nb\":\"\\u0001é€\u{7f}\",\"\u{1f600}\":1,\"\u{ff01}\":false}",
        ] {
            assert_eq!(check_object(text), Ok(()), "{text}");
            assert_eq!(
                to_text(&serde_json::from_str::<serde_json::Value>(text).unwrap()).unwrap(),
                text
            );
        }
        // What serde_json keeps for itself is a key like any other.
        assert_eq!(check_object(r#"{"$serde_json::private::RawValue":"[1,"}"#), Ok(()));
        for text in [
            "",
            "{",
            "{} ",
            " {}",
            "{}{}",
            "{\"\u{ff01}\":1,\"\u{1f600}\":1}",
            r#"{"a":1,"a":1}"#,
            r#"{"a":-0}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":9007199254740993}"#,
            r#"{"a":18446744073709551616}"#,
            r#"{"a":1e0}"#,
            r#"{"a":1e400}"#,
            r#"{"a":"\/"}"#,
        ] {
            assert!(check_object(text).is_err(), "{text}");
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
