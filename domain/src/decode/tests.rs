//! What is known, what is not, and what is broken.

use super::*;
use schemars::schema_for;
use std::collections::BTreeSet;

const FUNDED: &str = r#"{"amount_vcoin":"1.0000","campaign":"00000000-0000-0000-0000-000000000001","sponsor":"00000000-0000-0000-0000-000000000002","transaction":"00000000-0000-0000-0000-000000000003","type":"campaign.funded"}"#;

fn recorded<'a>(aggregate_type: &'a str, event_type: &'a str, version: &'a str, payload: &'a str) -> Recorded<'a> {
    Recorded {
        aggregate_type,
        aggregate_id: "main",
        event_type,
        version,
        payload,
    }
}

#[test]
fn every_chain_is_complete() {
    assert_eq!(check(), Ok(()));
}

#[test]
fn every_variant_is_a_type_of_its_kind() {
    let schemas = [
        schema_for!(BookEvent),
        schema_for!(ReversalEvent),
        schema_for!(AcceptanceEvent),
        schema_for!(AssignmentEvent),
        schema_for!(CampaignEvent),
        schema_for!(FraudFlagEvent),
        schema_for!(LoginEvent),
        schema_for!(OnRampEvent),
        schema_for!(PayoutEvent),
        schema_for!(UserEvent),
    ];
    assert_eq!(schemas.len(), KINDS.len());
    for (schema, kind) in schemas.iter().zip(KINDS) {
        let variants = schema.as_value()["oneOf"].as_array().unwrap();
        let tags: BTreeSet<&str> = variants
            .iter()
            .map(|variant| variant["properties"]["type"]["const"].as_str().unwrap())
            .collect();
        let types: BTreeSet<&str> = kind.types.iter().map(|known| known.name).collect();
        assert_eq!(tags, types, "{}", kind.aggregate_type);
        for name in types {
            assert_eq!(name.split('.').next(), Some(kind.aggregate_type));
        }
    }
}

#[test]
fn an_event_is_what_its_stream_and_type_say() {
    let event = recorded("campaign", "campaign.funded", "1", FUNDED);
    let decoded = decode(&event).unwrap();
    assert!(matches!(decoded, Decoded::Campaign(CampaignEvent::Funded(_))));
    assert_eq!(decoded.effects().len(), 1);
    assert_eq!(event.as_written(&decoded).unwrap().to_string(), {
        let value: Value = serde_json::from_str(FUNDED).unwrap();
        value.to_string()
    });
}

#[test]
fn what_is_unknown_may_be_a_later_programs() {
    for (aggregate_type, event_type, version) in [
        ("guild", "guild.founded", "1"),
        ("campaign", "campaign.renamed", "1"),
        ("campaign", "campaign.funded", "2"),
        ("book", "book.account_merged", "1"),
        ("book", "book.hold_placed", "2"),
    ] {
        let event = recorded(aggregate_type, event_type, version, "{}");
        assert!(decode(&event).unwrap_err().is_unknown(), "{event:?}");
        assert_eq!(event.is_in_known_stream(), aggregate_type != "guild");
        assert_eq!(event.is_of_book(), aggregate_type == "book");
    }
}

#[test]
fn what_contradicts_itself_is_broken() {
    let elsewhere = Recorded {
        aggregate_id: "second",
        ..recorded("book", "book.hold_voided", "1", "{}")
    };
    for event in [
        elsewhere,
        recorded("campaign", "book.hold_voided", "1", "{}"),
        recorded("campaign", "campaign.funded", "1", "{}"),
        recorded("campaign", "campaign.paused", "1", FUNDED),
    ] {
        assert!(!decode(&event).unwrap_err().is_unknown(), "{event:?}");
    }
}
