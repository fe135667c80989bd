//! The text of a ledger event, as it is stored and hashed.

use viral_ledger::BookEvent;
use viral_store::canonical;

/// The canonical text of a ledger event.
///
/// Nearly all of them are transactions, whose fields are declared in the canonical order already: they are written as
/// they are, which takes a third of the time of putting all keys in order once more. Only the order of keys beyond
/// ASCII, where UTF-8 and UTF-16 differ, is left to the canonicaliser.
pub(super) fn payload(event: &BookEvent) -> Result<String, serde_json::Error> {
    match event {
        BookEvent::TransactionPosted(transaction) if transaction.metadata.keys().all(|key| key.is_ascii()) => {
            let mut text = serde_json::to_string(transaction)?;
            text.pop();
            text.push_str(",\"type\":\"");
            text.push_str(event.event_type());
            text.push_str("\"}");
            Ok(text)
        }
        _ => canonical::to_text(event),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;
    use viral_ledger::{Address, Amount, Asset, Code, Posting, Reference, Transaction};

    #[test]
    fn the_short_way_to_a_payload_gives_the_canonical_text() {
        let address = |text| Address::parse(text).unwrap();
        let posting = Posting {
            debit: address("a:b"),
            credit: address("c-d_e:1"),
            amount: Amount::from_minor(12_345).unwrap(),
            asset: Asset::VCOIN,
        };
        let texts = ["", "plain", "\"quoted\" \\ / é ü 漢 \u{1f600} \u{7f} \u{2028}"];
        let mut checked = 0;
        for choice in 0..64_u32 {
            let some = |bit: u32| choice & (1 << bit) != 0;
            for text in texts {
                let transaction = Transaction {
                    captures: some(0).then(|| Uuid::from_u128(7)),
                    code: Code::TRANSFER,
                    description: some(1).then(|| text.to_owned()),
                    effective_at: "2026-01-02T03:04:05.000006Z".parse().unwrap(),
                    metadata: match (some(2), some(3)) {
                        (false, _) => Default::default(),
                        (true, false) => [("b", text), ("a", text), ("A b", "x")].map(own).into(),
                        (true, true) => [("\u{fb33}", text), ("\u{1f600}", text), ("z", "x")].map(own).into(),
                    },
                    postings: vec![posting.clone(); if some(4) { 2 } else { 1 }],
                    reference: some(5).then(|| Reference {
                        id: text.to_owned(),
                        kind: "import".to_owned(),
                    }),
                    reverses: some(4).then(|| Uuid::from_u128(9)),
                };
                let event = BookEvent::TransactionPosted(transaction);
                let text = payload(&event).unwrap();
                assert_eq!(text, canonical::to_text(&event).unwrap());
                assert_eq!(canonical::check_object(&text), Ok(()));
                checked += 1;
            }
        }
        assert_eq!(checked, 192);
    }

    fn own((key, value): (&str, &str)) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }
}
