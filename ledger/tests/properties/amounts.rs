//! Text of amounts, addresses and codes.

use crate::config;
use crate::model::{MAX, decimal};
use proptest::prelude::*;
use viral_ledger::{Address, Amount, Asset, Code};

fn asset() -> impl Strategy<Value = Asset> {
    let codes = ["VCOIN", "USD", "EUR", "JPY", "KWD", "CLF"];
    prop::sample::select(codes.to_vec()).prop_map(|code| Asset::parse(code).unwrap())
}

fn minor() -> impl Strategy<Value = i128> {
    prop_oneof![
        -MAX..=MAX,
        -1_000_000i128..=1_000_000,
        (0..100i128).prop_map(|below| MAX - below),
        (0..100i128).prop_map(|above| above - MAX),
    ]
}

/// The number of minor units, found by moving digits about.
fn read(text: &str, scale: usize) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (digits, ""),
    };
    let all_digits = format!("{whole}{fraction}").chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !all_digits || fraction.len() > scale {
        return None;
    }
    let padded = format!("{whole}{fraction:0<scale$}");
    let significant = padded.trim_start_matches('0');
    if significant.len() > 25 {
        return None;
    }
    let minor: i128 = if significant.is_empty() {
        0
    } else {
        significant.parse().unwrap()
    };
    (minor <= MAX).then_some(sign * minor)
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn amounts_print_and_parse_back(minor in minor(), asset in asset()) {
        let amount = Amount::from_minor(minor).unwrap();
        let text = amount.to_text(asset);
        prop_assert_eq!(&text, &decimal(minor, asset.scale()));
        prop_assert_eq!(Amount::parse(&text, asset).unwrap(), amount);
    }

    #[test]
    fn amounts_are_read_as_they_are_written(
        text in prop_oneof![
            "-?[0-9]{0,30}(\\.[0-9]{0,6})?",
            "-?0{0,60}[0-9]{1,22}(\\.[0-9]{1,4})?",
            "[-+0-9.eE_, ]{0,12}",
            "\\PC{0,12}",
        ],
        asset in asset(),
    ) {
        let amount = Amount::parse(&text, asset).ok().map(Amount::minor);
        prop_assert_eq!(amount, read(&text, usize::from(asset.scale())));
    }

    #[test]
    fn sums_are_exact_or_refused(a in minor(), b in minor()) {
        let (left, right) = (Amount::from_minor(a).unwrap(), Amount::from_minor(b).unwrap());
        let bounded = |minor: i128| (minor.abs() <= MAX).then_some(minor);
        prop_assert_eq!(left.checked_add(right).map(Amount::minor), bounded(a + b));
        prop_assert_eq!(left.checked_sub(right).map(Amount::minor), bounded(a - b));
    }

    #[test]
    fn no_amount_is_out_of_bounds(minor in any::<i128>()) {
        prop_assert_eq!(Amount::from_minor(minor).is_ok(), minor.unsigned_abs() <= MAX.unsigned_abs());
    }

    #[test]
    fn names_print_back(text in prop_oneof!["[a-zA-Z0-9_:-]{0,40}", "\\PC{0,12}", "[A-Z]{3}", "[a-z][a-z0-9_]{0,40}"]) {
        if let Ok(address) = Address::parse(&text) {
            prop_assert_eq!(address.as_str(), &text);
        }
        if let Ok(asset) = Asset::parse(&text) {
            prop_assert_eq!(asset.code(), &text);
            prop_assert!(asset.scale() <= 4);
        }
        if let Ok(code) = Code::parse(&text) {
            prop_assert_eq!(code.as_str(), &text);
        }
    }
}
