//! Numbers of a body, judged as they are written. Once they are parsed it is too late: the log and its readers hold
//! numbers as doubles (RFC 8785), and a number that lost digits on the way is another one than the caller sent, in what is
//! kept and in what tells a repeated request from a new one.

/// The largest integer that a double tells from its neighbours: 2^53 - 1.
const LARGEST_INTEGER: u64 = 9_007_199_254_740_991;
/// From here on a double is written with an exponent.
const SHOWN_AS_INTEGER: f64 = 1e21;
/// So many digits survive in any double, which are not too large or too small for one.
const SAFE_DIGITS: usize = 15;
/// More digits than this no double has.
const MOST_DIGITS: usize = 767;

/// A number that would not be kept as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lossy<'t> {
    /// As it is written.
    pub(crate) number: &'t str,
    /// Where it begins: line and column, from 1.
    pub(crate) place: (usize, usize),
}

/// The first number of a JSON text that a double does not hold. The text must be JSON.
pub(crate) fn first_lossy(text: &[u8]) -> Option<Lossy<'_>> {
    let mut rest = text;
    while let Some(byte) = rest.first() {
        let length = match byte {
            b'"' => string_length(rest),
            b'-' | b'0'..=b'9' => {
                let length = rest.iter().take_while(|byte| is_of_number(**byte)).count();
                let number = rest.get(..length).and_then(|number| std::str::from_utf8(number).ok());
                if let Some(number) = number.filter(|number| !is_kept(number)) {
                    let before = text.get(..text.len() - rest.len()).unwrap_or_default();
                    let place = place_after(before);
                    return Some(Lossy { number, place });
                }
                length
            }
            _ => 1,
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    None
}

fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')
}

/// How long a string is, with its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |end| end + 2)
}

/// Where the byte after a text is.
fn place_after(text: &[u8]) -> (usize, usize) {
    let line = 1 + text.iter().filter(|byte| **byte == b'\n').count();
    let column = 1 + text.iter().rev().take_while(|byte| **byte != b'\n').count();
    (line, column)
}

/// Whether a double holds the number: written with as many digits, it is the same.
fn is_kept(number: &str) -> bool {
    let magnitude = number.trim_start_matches('-');
    if magnitude.bytes().all(|byte| byte.is_ascii_digit()) {
        return magnitude.parse::<u64>().is_ok_and(|integer| integer <= LARGEST_INTEGER);
    }
    let (mantissa, _) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, ""));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0').trim_end_matches('0');
    let Ok(double) = magnitude.parse::<f64>() else {
        return false;
    };
    // Written as an integer it is one, and is answered as one (RFC 8785).
    if double > LARGEST_INTEGER as f64 && double < SHOWN_AS_INTEGER {
        return false;
    }
    // As most programs write it: with as few digits as tell it from others.
    let has_digits = |written: &str| {
        let (kept, _) = written.split_once('e').unwrap_or((written, ""));
        kept.chars().filter(char::is_ascii_digit).eq(digits.chars())
    };
    match digits.len() {
        0 => true,
        count if count <= SAFE_DIGITS && double.is_normal() => true,
        count if count > MOST_DIGITS => false,
        count => has_digits(&format!("{double:e}")) || has_digits(&format!("{double:.*e}", count - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_judged_as_they_are_written() {
        for number in [
            "0",
            "-0",
            "-0.0",
            "0e5",
            "9007199254740991",
            "-9007199254740991",
            "0.1",
            "12.50",
            "1e21",
            "1e300",
            "5e-324",
            "2.2250738585072014e-308",
            "3.141592653589793",
            // As programs write doubles that use 17 or 20 digits.
            "0.10000000000000001",
            "0.10000000000000000555",
            // As programs write powers of two.
            "5.960464477539063e-08",
            "4503599627370496.0",
        ] {
            assert!(is_kept(number), "{number}");
        }
        for number in [
            "9007199254740992",
            "-9007199254740993",
            "18446744073709551615",
            "18446744073709551616",
            "12345678901234567890123",
            "9007199254740992.0",
            "9007199254740993.0",
            "1e16",
            "1.2345678901234567890123e22",
            "0.12345678901234567891",
            "1e-400",
            "1e400",
            "3e-324",
            "0.1000000000000000000001",
        ] {
            assert!(!is_kept(number), "{number}");
        }
        assert!(!is_kept(&format!("0.{}", "1".repeat(65_000))));
    }

    #[test]
    fn strings_are_no_numbers() {
        let text = r#"{"12345678901234567890": "12345678901234567890\"12345678901234567890\\", "a": [1,
  -12345678901234567890]}"#;
        let found = first_lossy(text.as_bytes()).unwrap();
        assert_eq!((found.number, found.place), ("-12345678901234567890", (2, 3)));
        let end = text.replace("-12345678901234567890", "1.5");
        assert_eq!(first_lossy(end.as_bytes()), None);
    }
}
