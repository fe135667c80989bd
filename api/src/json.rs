//! Bodies: JSON in which no object names a field twice, read into exactly the fields that are expected.

use crate::kind::{self, Kind};
use crate::numbers::{self, Lossy};
use crate::problem::{Problem, cut};
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use serde_json::error::Category;
use serde_json::{Map, Value};
use std::fmt;
use viral_store::canonical;

/// Reads a body into its fields, and gives its canonical text. Nothing at all stands for an object without fields.
pub(crate) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<(T, String), Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    let value = object(body).map_err(Mistake::in_body)?;
    let fields = fields(body).map_err(Mistake::in_body)?;
    if let Some(lossy) = numbers::first_lossy(body) {
        return Err(Mistake::of_number(&lossy).in_body());
    }
    let text = canonical::to_text(&value).map_err(|e| Problem::new(kind::INVALID_BODY, e.to_string()))?;
    Ok((fields, text))
}

/// Reads a body into its fields. A field of `T` that is there twice is refused; what `T` keeps as text is not looked into.
pub(crate) fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    fields(body).map_err(Mistake::in_body)
}

/// Reads one of many objects of a body, in which no object names a field twice.
pub(crate) fn parse_one<T: DeserializeOwned>(text: &[u8]) -> Result<T, Problem> {
    object(text).and_then(|_| fields(text)).map_err(Mistake::in_one)
}

fn object(text: &[u8]) -> Result<Value, Mistake> {
    let Unique(value) = serde_json::from_slice(text).map_err(|error| match error.classify() {
        Category::Data => Mistake::new(Wrong::Twice, &error),
        Category::Syntax | Category::Eof | Category::Io => Mistake::new(Wrong::Json, &error),
    })?;
    match value {
        Value::Object(_) => Ok(value),
        _ => Err(Mistake {
            wrong: Wrong::Whole,
            why: "must be a JSON object".to_owned(),
            place: None,
        }),
    }
}

fn fields<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, Mistake> {
    serde_json::from_slice(text).map_err(|error| {
        // What stands where a variant is expected is a mistake of syntax to the parser, JSON or not.
        if !error.is_data() && serde_json::from_slice::<Value>(text).is_err() {
            return Mistake::new(Wrong::Json, &error);
        }
        // Which field it is costs time to know: it is asked only now.
        let again = serde_path_to_error::deserialize::<_, T>(&mut serde_json::Deserializer::from_slice(text));
        let path = again.err().map(|error| error.path().to_string()).unwrap_or_default();
        Mistake::new(Wrong::Field(path), &error)
    })
}

/// What is wrong with a text.
struct Mistake {
    wrong: Wrong,
    why: String,
    /// Line and column, from 1.
    place: Option<(usize, usize)>,
}

enum Wrong {
    /// It is no JSON.
    Json,
    /// It names a field twice.
    Twice,
    /// It is something else.
    Whole,
    /// What is at this path cannot be used.
    Field(String),
}

/// What the parser calls things, and what JSON does.
const WORDS: [(&str, &str); 6] = [
    ("expected u64", "expected a whole number, not negative"),
    ("expected i64", "expected a whole number"),
    ("expected a sequence", "expected a list"),
    ("expected a map", "expected an object"),
    ("type: sequence", "type: list"),
    ("type: map", "type: object"),
];

impl Mistake {
    fn new(wrong: Wrong, error: &serde_json::Error) -> Mistake {
        let (line, column) = (error.line(), error.column());
        let why = error.to_string();
        let why = why
            .strip_suffix(&format!(" at line {line} column {column}"))
            .unwrap_or(&why);
        let why = WORDS.iter().fold(cut(why), |why, (rust, json)| why.replace(rust, json));
        Mistake {
            wrong,
            why,
            place: Some((line, column)),
        }
    }

    fn of_number(lossy: &Lossy<'_>) -> Mistake {
        let number = cut(lossy.number);
        Mistake {
            wrong: Wrong::Field(".".to_owned()),
            why: format!("the number {number} would lose digits: send it as a string, or an integer up to 2^53 - 1"),
            place: Some(lossy.place),
        }
    }

    /// The kind of problem, and what is said of the text, which is called so.
    fn of(&self, name: &str) -> (Kind, String) {
        let why = &self.why;
        match &self.wrong {
            Wrong::Json => (kind::MALFORMED_JSON, format!("{name} is not JSON: {why}")),
            Wrong::Twice => (kind::DUPLICATE_KEY, why.clone()),
            Wrong::Whole => (kind::INVALID_BODY, format!("{name} {why}")),
            Wrong::Field(path) => match holder(path, why) {
                "" => (kind::INVALID_BODY, why.clone()),
                holder => (kind::INVALID_BODY, format!("{}: {why}", cut(holder))),
            },
        }
    }

    fn in_body(self) -> Problem {
        let (kind, said) = self.of("the body");
        match self.place {
            Some((line, column)) => Problem::new(kind, format!("{said} at line {line} column {column}"))
                .with("line", line)
                .with("column", column),
            None => Problem::new(kind, said),
        }
    }

    /// Where it begins in the body is not known.
    fn in_one(self) -> Problem {
        let (kind, said) = self.of("it");
        match (&self.wrong, self.place) {
            (Wrong::Json, Some((1, column))) => Problem::new(kind, format!("{said} at its column {column}")),
            _ => Problem::new(kind, said),
        }
    }
}

/// What is at a path, or, if its last name is unknown, which the error says, what has that name.
fn holder<'p>(path: &'p str, why: &str) -> &'p str {
    match why.starts_with("unknown field") {
        true => path.rsplit_once('.').map_or("", |(holder, _)| holder),
        false if path == "." => "",
        false => path,
    }
}

/// A value in which every object names each field once. RFC 8259 leaves open what a second one means, so two readers
/// could see two requests in it.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Unique, D::Error> {
        deserializer.deserialize_any(UniqueVisitor).map(Unique)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Unique(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if fields.contains_key(&key) {
                let shown: String = key.chars().take(64).collect();
                return Err(A::Error::custom(format!("the field {shown:?} is there twice")));
            }
            let Unique(value) = map.next_value()?;
            fields.insert(key, value);
        }
        Ok(fields.into())
    }
}

/// An amount as it stands in a body. A number is taken note of here, so that the answer can name its posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AmountText {
    Text(String),
    Number,
}

impl<'de> Deserialize<'de> for AmountText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<AmountText, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = AmountText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount as a decimal string such as \"12.50\"")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<AmountText, E> {
        Ok(AmountText::Text(value.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<AmountText, E> {
        Ok(AmountText::Number)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<AmountText, E> {
        Ok(AmountText::Number)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<AmountText, E> {
        Ok(AmountText::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        amount: Option<AmountText>,
        #[serde(default)]
        free: std::collections::BTreeMap<String, String>,
        #[serde(default)]
        colour: Colour,
        #[serde(default, rename = "inner")]
        _inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, expecting = "an object with a")]
    struct Inner {
        #[serde(rename = "a")]
        _a: u64,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    enum Colour {
        #[default]
        Red,
    }

    fn code_and_detail(body: &str) -> (&'static str, String) {
        let problem = read::<Body>(body.as_bytes()).unwrap_err();
        (problem.kind().code, problem.detail().to_owned())
    }

    #[test]
    fn the_canonical_text_is_the_same_for_every_spelling() {
        let (body, text) = read::<Body>(b" {\"free\" : {\"b\":\"\\u0041\", \"a\":\"\"}, \"amount\": \"1\"}").unwrap();
        assert_eq!(text, r#"{"amount":"1","free":{"a":"","b":"A"}}"#);
        assert_eq!(body.amount, Some(AmountText::Text("1".to_owned())));
        assert_eq!((body.free.len(), body.colour), (2, Colour::Red));
        assert_eq!(read::<Body>(b"").unwrap().1, "{}");
    }

    #[test]
    fn the_place_of_a_mistake_is_said() {
        let (code, detail) = code_and_detail("{\n  \"amount\": }");
        assert_eq!(
            (code, detail.contains("line 2 column 13")),
            ("malformed_json", true),
            "{detail}"
        );
        let (code, detail) = code_and_detail(r#"{"amount":"1","size":"large"}"#);
        assert_eq!(code, "invalid_body");
        assert_eq!(
            detail,
            "unknown field `size`, expected one of `amount`, `free`, `colour`, `inner` at line 1 column 20"
        );
        let (_, detail) = code_and_detail(r#"{"inner":[{"it is":1}]}"#);
        assert_eq!(
            detail,
            "inner[0]: unknown field `it is`, expected `a` at line 1 column 18"
        );
        let long = "x".repeat(60_000);
        assert!(code_and_detail(&format!(r#"{{"{long}":1}}"#)).1.len() < 500);
        assert!(code_and_detail(&format!(r#"{{"free":{{"{long}":1}}}}"#)).1.len() < 900);
        let (code, detail) = code_and_detail(r#"{"free":{"a":"1","a":"2"}}"#);
        assert_eq!(
            (code, detail.contains("\"a\" is there twice")),
            ("duplicate_key", true),
            "{detail}"
        );
        let (code, detail) = code_and_detail(r#"{"amount":true}"#);
        assert_eq!(
            (
                code,
                detail.starts_with("amount: ") && detail.contains("decimal string")
            ),
            ("invalid_body", true),
            "{detail}"
        );
        let (_, detail) = code_and_detail(r#"{"free":{"a":"1","b":2}}"#);
        assert_eq!(
            detail,
            "free.b: invalid type: integer `2`, expected a string at line 1 column 22"
        );
    }

    #[test]
    fn the_place_of_a_mistake_in_one_of_many_is_said() {
        for (text, said) in [
            (
                r#"{"free":{"b":2}}"#,
                "free.b: invalid type: integer `2`, expected a string",
            ),
            (r#"{"free":}"#, "it is not JSON: expected value at its column 9"),
            (r#"{"free":{"a":"1","a":"2"}}"#, "the field \"a\" is there twice"),
            (
                r#"{"inner":[{"a":"7"}]}"#,
                "inner[0].a: invalid type: string \"7\", expected a whole number, not negative",
            ),
            (r#"{"inner":{}}"#, "inner: invalid type: object, expected a list"),
            (
                r#"{"inner":[7]}"#,
                "inner[0]: invalid type: integer `7`, expected an object with a",
            ),
            ("[]", "it must be a JSON object"),
        ] {
            assert_eq!(parse_one::<Body>(text.as_bytes()).unwrap_err().detail(), said, "{text}");
        }
    }

    #[test]
    fn text_that_is_kept_as_it_is_must_be_json_too() {
        #[derive(Debug, Deserialize)]
        struct Kept<'a> {
            #[serde(borrow, rename = "rows")]
            _rows: Vec<&'a serde_json::value::RawValue>,
        }
        for (body, code) in [
            (&b"{\"rows\":[{\"a\":\"\xff\"}]}"[..], "malformed_json"),
            (b"{\"rows\":[{]}", "malformed_json"),
            (b"{\"rows\":7}", "invalid_body"),
        ] {
            assert_eq!(parse::<Kept<'_>>(body).unwrap_err().kind().code, code);
        }
    }

    #[test]
    fn numbers_that_would_lose_digits_are_refused() {
        let body = |number: &str| format!("{{\"free\":{{}},\n\"amount\":{number}}}");
        for number in ["12345678901234567890123", "9007199254740993", "0.12345678901234567891"] {
            let (code, detail) = code_and_detail(&body(number));
            let said = format!(
                "the number {number} would lose digits: send it as a string, or an integer up to 2^53 - 1 at line 2 column 10"
            );
            assert_eq!((code, detail), ("invalid_body", said));
        }
        assert!(read::<Body>(body("9007199254740991").as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for (body, code) in [
            ("[]", "invalid_body"),
            ("null", "invalid_body"),
            ("{} {}", "malformed_json"),
            ("{\"amount\":1e999}", "malformed_json"),
            ("{\"amount\":\"\\ud800\"}", "malformed_json"),
            ("{\"free\":{\"a\":1}}", "invalid_body"),
            ("{\"colour\":null}", "invalid_body"),
            ("{\"colour\":1}", "invalid_body"),
            (&"[".repeat(60_000), "malformed_json"),
        ] {
            assert_eq!(code_and_detail(body).0, code, "{body:.40}");
        }
        assert_eq!(
            read::<Body>(b"{\"free\":{\"a\":\"\xff\"}}").unwrap_err().kind(),
            kind::MALFORMED_JSON
        );
    }
}
