//! The line's schema beside what the platform itself reads as a line.

use super::*;
use viral_store::{canonical, line};

#[test]
fn the_schema_accepts_what_is_a_line_and_nothing_else() {
    let schema = jsonschema::draft202012::new(&line_schema()).unwrap();
    let mut refused = 0;
    for text in EXAMPLES.lines() {
        let line: Value = serde_json::from_str(text).unwrap();
        let errors: Vec<String> = schema.iter_errors(&line).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        for altered in alterations(&line) {
            let read = line::parse(&canonical::to_text(&altered).unwrap());
            assert_eq!(schema.is_valid(&altered), read.is_ok(), "{altered}: read as {read:?}");
            refused += usize::from(read.is_err());
        }
    }
    assert!(refused > 1_000, "{refused}");
}

/// The line with a field too many, with each field missing or null, and with texts in another spelling.
fn alterations(line: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    let mut more = line.clone();
    more["surprise"] = json!("1");
    all.push(more);
    for field in line.as_object().unwrap().keys() {
        let mut less = line.clone();
        less.as_object_mut().unwrap().remove(field);
        let mut empty = line.clone();
        empty[field] = Value::Null;
        let mut number = line.clone();
        number[field] = json!(7);
        all.extend([less, empty, number]);
    }
    let text = |field: &str| line[field].as_str().unwrap().to_owned();
    let spellings = [
        ("position", format!("0{}", text("position"))),
        ("position", format!("+{}", text("position"))),
        ("position", "1e3".to_owned()),
        ("sequence", format!("0{}", text("sequence"))),
        ("sequence", String::new()),
        ("time", text("time").replace("000Z", "Z")),
        ("time", text("time").replace('Z', "+00:00")),
        ("time", text("time").replace('T', " ")),
        ("specversion", "1.1".to_owned()),
        ("id", text("id").to_uppercase().replace("0195A2F0", "0195A2FA")),
        ("id", text("id").replace('-', "")),
        ("dataschema", text("dataschema").replace("urn:viral", "urn:other")),
    ];
    for (field, spelling) in spellings {
        let mut altered = line.clone();
        altered[field] = json!(spelling);
        all.push(altered);
    }
    all
}

#[test]
fn every_attribute_but_the_data_has_a_header_and_a_name_that_cloudevents_allows() {
    let attributes = attributes();
    assert!(attributes.is_sorted_by_key(|attribute| attribute.name));
    let headers = headers_schema();
    for Attribute { name, .. } in &attributes {
        // CloudEvents 1.0, section 3.1: lower-case letters and digits, at most 20 of them.
        assert!(
            name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
            "{name}"
        );
        assert_eq!(
            headers["properties"].get(header_of(name)).is_some(),
            *name != DATA,
            "{name}"
        );
    }
    assert_eq!(headers["properties"].as_object().unwrap().len(), attributes.len() + 1);
}
