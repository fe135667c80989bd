//! Our account addresses as names of beancount, and back.
//!
//! Beancount wants a root from a fixed set, and segments that begin with a capital or a digit and go on with letters,
//! digits and `-`. The root is `Assets` for accounts that grow by debits and `Liabilities` for those that grow by
//! credits. In each segment
//!
//! - a small first letter becomes a capital: `fees` → `Fees`;
//! - a capital first letter stays, and `-c` is added at the end: `Fees` → `Fees-c`;
//! - a first `-` or `_` gets `X-x` before it: `_fees` → `X-x-ufees`;
//! - every `-` becomes `--`, every `_` becomes `-u`; all else stays.
//!
//! `-c` and `-x` cannot come from any `-` or `_`, so no two addresses of one side have the same name.

use viral_ledger::{Address, NormalSide};

/// The name of an account.
pub fn to_beancount(address: &Address, normal_side: NormalSide) -> String {
    let mut name = match normal_side {
        NormalSide::Debit => "Assets".to_owned(),
        NormalSide::Credit => "Liabilities".to_owned(),
    };
    for segment in address.as_str().split(':') {
        name.push(':');
        push_segment(&mut name, segment);
    }
    name
}

fn push_segment(name: &mut String, segment: &str) {
    let mut chars = segment.chars();
    match chars.next() {
        Some(first) if first.is_ascii_lowercase() => {
            name.push(first.to_ascii_uppercase());
            push_body(name, chars.as_str());
        }
        Some(first) if first.is_ascii_uppercase() => {
            push_body(name, segment);
            name.push_str("-c");
        }
        Some('-' | '_') => {
            name.push_str("X-x");
            push_body(name, segment);
        }
        _ => push_body(name, segment),
    }
}

fn push_body(name: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '-' => name.push_str("--"),
            '_' => name.push_str("-u"),
            c => name.push(c),
        }
    }
}

/// The account of a name that [`to_beancount`] made; none for any other text.
pub fn from_beancount(name: &str) -> Option<(Address, NormalSide)> {
    let (root, rest) = name.split_once(':')?;
    let normal_side = match root {
        "Assets" => NormalSide::Debit,
        "Liabilities" => NormalSide::Credit,
        _ => return None,
    };
    let segments: Option<Vec<String>> = rest.split(':').map(segment_of).collect();
    let address = Address::stored(&segments?.join(":")).ok()?;
    // Only the one name of the address is its name.
    (to_beancount(&address, normal_side) == name).then_some((address, normal_side))
}

fn segment_of(text: &str) -> Option<String> {
    if let Some(body) = text.strip_prefix("X-x") {
        return body_of(body);
    }
    let mut chars = text.chars();
    let first = chars.next()?;
    // `--c` at the end is a `-` and a `c`: an odd number of dashes before the `c` makes the mark.
    if let Some(body) = text.strip_suffix("-c")
        && (text.len() - body.trim_end_matches('-').len()).is_multiple_of(2)
    {
        return body_of(body);
    }
    Some(format!("{}{}", first.to_ascii_lowercase(), body_of(chars.as_str())?))
}

fn body_of(text: &str) -> Option<String> {
    let mut body = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '-' => match chars.next()? {
                '-' => body.push('-'),
                'u' => body.push('_'),
                _ => return None,
            },
            c => body.push(c),
        }
    }
    Some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_as_documented() {
        for (address, name) in [
            ("fees", "Liabilities:Fees"),
            ("customer:576", "Liabilities:Customer:576"),
            ("bank:interest_paid", "Liabilities:Bank:Interest-upaid"),
            ("clearing:AB", "Liabilities:Clearing:AB-c"),
            ("a-b", "Liabilities:A--b"),
            ("-_:X-x", "Liabilities:X-x---u:X--x-c"),
            ("x-c:X-c", "Liabilities:X--c:X--c-c"),
            ("x--c", "Liabilities:X----c"),
        ] {
            let address = Address::parse(address).unwrap();
            assert_eq!(to_beancount(&address, NormalSide::Credit), name);
            assert_eq!(from_beancount(name), Some((address, NormalSide::Credit)));
        }
    }

    /// Beancount's own rule for names: `[A-Z][A-Za-z0-9-]*(:[A-Z0-9][A-Za-z0-9-]*)+`.
    fn is_name(text: &str) -> bool {
        let mut segments = text.split(':');
        let root = segments
            .next()
            .is_some_and(|root| ["Assets", "Liabilities"].contains(&root));
        let rest: Vec<&str> = segments.collect();
        root && !rest.is_empty()
            && rest.iter().all(|segment| {
                let first = segment
                    .bytes()
                    .next()
                    .is_some_and(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
                first && segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            })
    }

    proptest! {
        /// The alphabet is small so that unlucky neighbours are common.
        #[test]
        fn every_address_has_a_name_of_its_own(text in "[aAcCuUxX1_-]{1,6}(:[aAcCuUxX1_-]{1,6}){0,3}") {
            let address = Address::parse(&text).unwrap();
            for side in [NormalSide::Debit, NormalSide::Credit] {
                let name = to_beancount(&address, side);
                prop_assert!(is_name(&name), "{}", name);
                prop_assert_eq!(from_beancount(&name), Some((address.clone(), side)));
            }
        }

        #[test]
        fn no_text_is_taken_for_a_name_that_is_none(text in "(Assets|Liabilities|Income):[AaXxCcUu1:-]{0,8}") {
            if let Some((address, side)) = from_beancount(&text) {
                prop_assert_eq!(to_beancount(&address, side), text);
            }
        }
    }
}
