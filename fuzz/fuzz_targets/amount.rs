//! Any text is an amount or is refused; what is accepted prints back to the same value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use viral_ledger::{Address, Amount, Asset, Code};

fuzz_target!(|text: &str| {
    for code in ["VCOIN", "USD", "JPY", "KWD"] {
        let asset = Asset::parse(code).expect("an asset");
        let Ok(amount) = Amount::parse(text, asset) else {
            continue;
        };
        let printed = amount.to_text(asset);
        assert_eq!(
            Amount::parse(&printed, asset),
            Ok(amount),
            "{text:?} printed as {printed:?}"
        );
        assert!(amount.minor().unsigned_abs() <= Amount::MAX.minor().unsigned_abs());
    }
    // The names beside an amount are read from the same places.
    if let Ok(asset) = Asset::parse(text) {
        assert_eq!(asset.code(), text);
    }
    if let Ok(address) = Address::parse(text) {
        assert_eq!(address.as_str(), text);
    }
    if let Ok(code) = Code::parse(text) {
        assert_eq!(code.as_str(), text);
    }
});
