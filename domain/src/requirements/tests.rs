//! What sponsors may require, and that no requirement can keep us busy.

use super::cost::REFUSED;
use super::*;
use serde_json::json;
use std::time::{Duration, Instant};

fn check(requirements: &Requirements, value: Value) -> String {
    requirements
        .check(&value)
        .map_or_else(|error| error.to_string(), |()| "fits".to_owned())
}

fn parsed(schema: Value) -> Requirements {
    Requirements::parse(schema.clone()).unwrap_or_else(|error| panic!("{schema}: {error}"))
}

fn problem(schema: Value) -> String {
    Requirements::parse(schema).expect_err("refused").problem
}

#[test]
fn nothing_required_fits_everything() {
    assert_eq!(check(&parsed(json!({})), json!({"url": "https://example.com"})), "fits");
    assert_eq!(Requirements::default(), parsed(json!({})));
}

#[test]
fn problems_name_their_place() {
    let requirements = parsed(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["url", "views"],
        "properties": {
            "url": {"type": "string", "pattern": "^https://video\\.example/"},
            "posted": {"$ref": "#/$defs/day"},
            "clips": {"type": "array", "items": {"required": ["length"]}}
        },
        "$defs": {"day": {"type": "string", "format": "date"}}
    }));
    let good = json!({"url": "https://video.example/1", "views": 3, "posted": "2026-02-28", "clips": []});
    assert_eq!(check(&requirements, good.clone()), "fits");
    let without_views = json!({"url": "https://video.example/1"});
    assert_eq!(
        check(&requirements, without_views),
        r#"/: "views" is a required property"#
    );
    for (field, value, problem) in [
        ("clips", json!([{}]), r#"/clips/0: "length" is a required property"#),
        (
            "posted",
            json!("2026-02-30"),
            r#"/posted: "2026-02-30" is not a "date""#,
        ),
        (
            "url",
            json!("x"),
            r#"/url: "x" does not match "^https://video\.example/""#,
        ),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        assert_eq!(check(&requirements, bad), problem);
    }
}

#[test]
fn the_first_problem_is_told_and_shortly() {
    let requirements = parsed(json!({"additionalProperties": {"const": 1}}));
    let value: Map<String, Value> = (0..50).map(|i| (i.to_string(), "x".repeat(1_000).into())).collect();
    let problem = check(&requirements, value.into());
    assert!(
        problem.starts_with("/0: ") && problem.chars().count() <= PROBLEM_LENGTH,
        "{problem}"
    );
}

/// Both are below their own limits; what they come to together is not.
#[test]
fn the_work_of_a_schema_on_a_deliverable_is_bounded() {
    let all_of = |count| json!({"properties": {"x": {"items": {"allOf": vec![json!({"const": 9}); count]}}}});
    let ones = |count| json!({"x": vec![1; count]});
    for (schema, value, ends) in [
        (all_of(550), ones(7_000), "hand in fewer values or shorter texts"),
        (all_of(550), ones(100), "/x/0: 9 was expected"),
        // As large as anybody needs them.
        (all_of(20), ones(2_000), "/x/0: 9 was expected"),
        (all_of(150), json!({"x": ["x".repeat(16_000)]}), "was expected"),
    ] {
        let told = check(&parsed(schema), value);
        assert!(told.ends_with(ends) || told.len() >= PROBLEM_LENGTH, "{told}");
    }
}

/// Countries in four fields, and a long description.
#[test]
fn long_texts_are_no_work_for_lists_of_values() {
    let countries: Vec<String> = (0..249).map(|n| format!("C{n}")).collect();
    let country = json!({"$ref": "#/$defs/country"});
    let requirements = parsed(json!({
        "$defs": {"country": {"enum": countries}},
        "properties": {"a": country, "b": country, "c": country, "d": country},
        "required": ["description"],
    }));
    let value = json!({"a": "C1", "d": "C248", "description": "x".repeat(16_000)});
    assert_eq!(check(&requirements, value), "fits");
}

#[test]
fn what_is_no_schema_is_refused() {
    for (schema, part) in [
        (json!([]), "must be an object"),
        (json!("x"), "must be an object"),
        (json!({"type": "text"}), "no JSON Schema"),
        (json!({"required": "url"}), "no JSON Schema"),
        (json!({"minLength": -1}), "no JSON Schema"),
        (json!({"pattern": "("}), "no JSON Schema"),
        (json!({"description": "x".repeat(BYTES)}), "at most 8192"),
        (json!({"maximum": 9_007_199_254_740_993_u64}), "beyond 2^53 - 1"),
        (json!({"const": "\0"}), "U+0000"),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
            "another dialect",
        ),
        (json!({"properties": {"a": {"$schema": "urn:x"}}}), "another dialect"),
    ] {
        let problem = problem(schema.clone());
        assert!(problem.contains(part), "{schema}: {problem}");
    }
    let mut deep = json!({});
    for _ in 0..DEPTH {
        deep = json!({"not": deep});
    }
    assert_eq!(problem(deep), "is nested deeper than 32 levels");
}

#[test]
fn references_stay_in_the_schema() {
    for reference in [
        "https://example.com/schema.json",
        "file:///etc/passwd",
        "other.json",
        "other.json#/$defs/a",
        "#name",
        "#/$defs/missing",
        "#/$defs/%61",
        "",
    ] {
        let problem = problem(json!({"$defs": {"a": {}}, "items": {"$ref": reference}}));
        assert!(problem.contains("a part of the same schema"), "{reference}: {problem}");
    }
    for name in REFUSED {
        let problem = problem(json!({"properties": {"a": {name: "#"}}}));
        assert!(problem.starts_with(&format!("use {name}")), "{problem}");
        // A field may have that name.
        parsed(json!({"properties": {name: {"type": "string"}}}));
    }
    let percent = parsed(json!({"$defs": {"a/b~c": {"type": "null"}}, "$ref": "#/$defs/a~1b~0c"}));
    assert!(percent.check(&json!(1)).is_err());
}

#[test]
fn references_never_come_back() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"properties": {"child": {"$ref": "#"}}}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
        json!({"properties": {"a": {"items": {"$ref": "#/properties/a"}}}}),
    ] {
        let problem = problem(schema.clone());
        assert!(problem.contains("from within itself"), "{schema}: {problem}");
    }
}

/// Each definition asks for the one before it twice: 2^100 checks.
#[test]
fn references_cannot_double_for_ever() {
    let mut definitions = json!({"a0": {"minLength": 1}});
    for i in 1..100 {
        let before = format!("#/$defs/a{}", i - 1);
        definitions[format!("a{i}")] = json!({"anyOf": [{"$ref": before}, {"$ref": before}]});
    }
    let begin = Instant::now();
    let problem = problem(json!({"$defs": definitions, "$ref": "#/$defs/a99"}));
    assert!(problem.contains("too large") || problem.contains("deeper"), "{problem}");
    // It would not end in a lifetime.
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}

#[test]
fn patterns_with_look_around_or_back_references_are_refused() {
    for pattern in [r"(?=a)a", r"(a)\1", r"(?<!a)b"] {
        assert!(
            problem(json!({"pattern": pattern})).contains("no JSON Schema"),
            "{pattern}"
        );
    }
}

/// The worst that was thought of, each against the largest deliverable that it likes best.
#[test]
fn nothing_takes_long() {
    let text = "a".repeat(16_000);
    let mixed: String = (0..16_000_u64)
        .map(|i| if (i * i / 7) % 5 < 2 { 'a' } else { 'b' })
        .collect();
    let many: Vec<Value> = (1..4_000).map(|i| json!(i)).collect();
    let keys: Map<String, Value> = (0..1_600).map(|i| (format!("{i:04}"), json!(1))).collect();
    let all_of: Vec<Value> = (200..217)
        .map(|i| json!({"pattern": format!("(a|a)*(a?){{{i}}}[^a]$")}))
        .collect();
    let names: Map<String, Value> = (100..109)
        .map(|i| (format!("(a*)*(a|aa)*[ab]{{{i}}}$"), json!({"pattern": "(x+x+)+y"})))
        .collect();
    let mut unevaluated = json!({"properties": {"0000": true}});
    for _ in 0..6 {
        unevaluated = json!({"allOf": [unevaluated], "unevaluatedProperties": {"type": "string"}});
    }
    for (schema, value) in [
        (json!({"allOf": all_of}), json!(text)),
        (json!({"patternProperties": names}), json!({text.clone(): text})),
        (json!({"items": nested("anyOf"), "uniqueItems": true}), json!(many)),
        (json!({"items": nested("oneOf")}), json!(many)),
        (json!({"items": nested("allOf")}), json!(many)),
        (json!({"items": {"not": nested("anyOf")}}), json!(many)),
        (json!({"contains": nested("anyOf"), "minContains": 5_000}), json!(many)),
        (doubled(), json!(many)),
        (
            json!({"items": {"enum": (0..600).map(|i| json!([-i])).collect::<Vec<_>>()}}),
            json!(many),
        ),
        (json!({"items": {"multipleOf": 1e-300}}), json!(vec![1e300; 2_000])),
        (unevaluated, json!(keys)),
        // The worst within the bound: errors that are collected, and a pattern in whose every byte there is a new state.
        (
            json!({"anyOf": [{"items": {"allOf": vec![json!({"const": 9}); 90]}}]}),
            json!(vec![1; 1_000]),
        ),
        (json!({"pattern": "^[ab]*a[ab]{400}c$"}), json!(mixed)),
        (json!({"format": "regex"}), json!("(a{1000}){1000}".repeat(1_000))),
        (json!({"format": "idn-email"}), json!(format!("{text}@{text}"))),
    ] {
        let shown: String = schema.to_string().chars().take(80).collect();
        let begin = Instant::now();
        let requirements = parsed(schema);
        let checked = requirements.check(&value);
        let took = begin.elapsed();
        let answer: String = checked
            .map_or_else(|error| error.to_string(), |()| "fits".to_owned())
            .chars()
            .take(60)
            .collect();
        println!("{took:>12?} {shown} -> {answer}");
        // A hundredth of that is usual; a busy machine may take longer.
        assert!(took < Duration::from_secs(60), "{took:?}: {shown}");
    }
}

/// One keyword in itself, as deep as a schema may be.
fn nested(keyword: &str) -> Value {
    let mut schema = json!({"const": -1});
    for _ in 0..13 {
        schema = json!({keyword: [schema, {"const": 0}]});
    }
    schema
}

/// As much as references may unfold to.
fn doubled() -> Value {
    let mut definitions = json!({"a0": {"const": -1}});
    for i in 1..7 {
        let before = format!("#/$defs/a{}", i - 1);
        definitions[format!("a{i}")] = json!({"anyOf": [{"$ref": before}, {"$ref": before}]});
    }
    json!({"$defs": definitions, "items": {"$ref": "#/$defs/a6"}})
}

#[test]
fn the_log_is_believed_as_long_as_it_is_an_object() {
    let old: Requirements = serde_json::from_value(json!({"$ref": "urn:gone"})).unwrap();
    assert_eq!(serde_json::to_value(&old).unwrap(), json!({"$ref": "urn:gone"}));
    assert!(old.check(&json!({})).is_err(), "it cannot be fetched, so nothing fits");
    assert!(serde_json::from_value::<Requirements>(json!([])).is_err());
}
