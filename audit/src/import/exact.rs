//! Decimal numbers as integers, so that differences are exact.

use viral_ledger::Asset;

/// Fraction digits of the numbers. No asset has more than four.
const SCALE: usize = 8;

/// What makes minor units of an asset numbers of [`SCALE`] fraction digits. Amounts are below 10^24, so nothing overflows.
pub(super) fn scale_factor(asset: Asset) -> i128 {
    (usize::from(asset.scale())..SCALE).fold(1, |factor, _| factor * 10)
}

/// A plain decimal number as an integer of [`SCALE`] fraction digits: differences of these are exact.
pub(super) fn exact(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number =
        |part: &str, longest| (1..=longest).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole, 25) || !is_number(fraction, SCALE) {
        return None;
    }
    let number: i128 = format!("{whole}{fraction:0<SCALE$}").parse().ok()?;
    Some(if text.starts_with('-') { -number } else { number })
}

/// The number as text, with as many fraction digits as it needs, at least two.
pub(super) fn to_text(number: i128) -> String {
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = SCALE + 1);
    let (whole, fraction) = digits.split_at(digits.len() - SCALE);
    let fraction = fraction.trim_end_matches('0');
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{whole}.{fraction:0<2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        for (text, number, printed) in [
            ("0", 0, "0.00"),
            ("900.00", 90_000_000_000, "900.00"),
            ("-0.1", -10_000_000, "-0.10"),
            ("0.12345678", 12_345_678, "0.12345678"),
        ] {
            assert_eq!(exact(text), Some(number), "{text}");
            assert_eq!(to_text(number), printed);
        }
        for text in [
            "",
            "-",
            ".5",
            "1.",
            "1e3",
            "1,5",
            "1 000",
            "+1",
            "0.123456789",
            "99999999999999999999999999",
        ] {
            assert_eq!(exact(text), None, "{text}");
        }
        assert!(exact("9999999999999999999999999.99999999").is_some());
    }
}
