//! Identifiers from outside: what something is called elsewhere (an entry of a bank statement, a reference, a login).
//! Whoever decides by one whether something happened before must not be told the same thing in two spellings, so there
//! is one: Unicode's form NFC, without characters that cannot be seen. Any other is refused and never rewritten, because
//! ids in the log derive from the text as it was sent.
//!
//! This is a rule of input: an old log may hold other spellings.

use crate::characters::{code_point, is_invisible};
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentifier {
    /// Nothing is there.
    #[error("must not be empty")]
    Empty,
    /// It is too long.
    #[error("has more than {max} characters")]
    TooLong {
        /// How long it may be, in characters.
        max: usize,
    },
    /// It has a character that an identifier has not.
    #[error("has {} as character {place}, {problem}", code_point(*.character))]
    Character {
        /// Which character.
        character: char,
        /// Where it is, from 1.
        place: usize,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// It is another spelling of the same text.
    #[error(
        "is not in Unicode's form NFC: what begins with {} as character {place} is written {} there",
        code_point(*.character), code_point(*.composed)
    )]
    NotComposed {
        /// The first character that is another one in NFC.
        character: char,
        /// Where it is, from 1.
        place: usize,
        /// What NFC has there.
        composed: char,
    },
}

/// Checks an identifier of at most `max` characters.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(text: &str, max: usize) -> Result<(), InvalidIdentifier> {
    if text.is_empty() {
        return Err(InvalidIdentifier::Empty);
    }
    if text.chars().count() > max {
        return Err(InvalidIdentifier::TooLong { max });
    }
    let mut before = None;
    let mut characters = text.chars().enumerate().peekable();
    while let Some((index, character)) = characters.next() {
        if let Some(problem) = problem(before, character, characters.peek().map(|(_, next)| *next)) {
            let place = index + 1;
            return Err(InvalidIdentifier::Character {
                character,
                place,
                problem,
            });
        }
        before = Some(character);
    }
    check_form(text)
}

/// What is wrong with a character between its neighbours.
fn problem(before: Option<char>, character: char, after: Option<char>) -> Option<&'static str> {
    match character {
        ' ' if before.is_none() => Some("a space at the beginning: leave it out"),
        ' ' if after.is_none() => Some("a space at the end: leave it out"),
        ' ' if before == Some(' ') => Some("a second space in a row: leave it out"),
        ' ' => None,
        c if c.is_control() => Some("a control character: leave it out"),
        c if c.is_whitespace() => Some("another space than U+0020: write that one, or leave it out"),
        c if is_invisible(c) => Some("which cannot be seen: leave it out"),
        _ => None,
    }
}

fn check_form(text: &str) -> Result<(), InvalidIdentifier> {
    if text.is_ascii() {
        return Ok(());
    }
    let normal = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let mut pairs = text.chars().zip(normal.chars()).enumerate();
    match pairs.find(|(_, (found, composed))| found != composed) {
        None => Ok(()),
        Some((index, (character, composed))) => Err(InvalidIdentifier::NotComposed {
            character,
            place: index + 1,
            composed,
        }),
    }
}

/// How else Unicode's normal forms spell a text: what an old log may know it as.
pub fn other_spellings(text: &str) -> Vec<String> {
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    let mut others = vec![composed.into_owned(), decomposed.into_owned()];
    others.dedup();
    others.retain(|other| other != text);
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        check(text, 12).map_or_else(|error| error.to_string(), |()| "ok".to_owned())
    }

    #[test]
    fn one_thing_has_one_spelling() {
        for (text, expected) in [
            ("ch_1", "ok"),
            ("bank line 1", "ok"),
            ("größe-例", "ok"),
            ("zwölf lang??", "ok"),
            ("", "must not be empty"),
            ("dreizehn lang", "has more than 12 characters"),
            (
                "ch\u{200b}_1",
                "has U+200B as character 3, which cannot be seen: leave it out",
            ),
            (
                "ch_1\u{ad}",
                "has U+00AD as character 5, which cannot be seen: leave it out",
            ),
            (
                "\u{feff}ch_1",
                "has U+FEFF as character 1, which cannot be seen: leave it out",
            ),
            (
                "ch_1\u{202e}",
                "has U+202E as character 5, which cannot be seen: leave it out",
            ),
            (
                "❤\u{fe0f}",
                "has U+FE0F as character 2, which cannot be seen: leave it out",
            ),
            (
                "\u{3164}",
                "has U+3164 as character 1, which cannot be seen: leave it out",
            ),
            (
                "ch\u{a0}1",
                "has U+00A0 as character 3, another space than U+0020: write that one, or leave it out",
            ),
            ("a\nb", "has U+000A as character 2, a control character: leave it out"),
            (
                " x1",
                "has U+0020 as character 1, a space at the beginning: leave it out",
            ),
            ("x1 ", "has U+0020 as character 3, a space at the end: leave it out"),
            (" ", "has U+0020 as character 1, a space at the beginning: leave it out"),
            (
                "x  1",
                "has U+0020 as character 3, a second space in a row: leave it out",
            ),
            (
                "cafe\u{301}",
                "is not in Unicode's form NFC: what begins with U+0065 as character 4 is written U+00E9 there",
            ),
            (
                "\u{212b}",
                "is not in Unicode's form NFC: what begins with U+212B as character 1 is written U+00C5 there",
            ),
        ] {
            assert_eq!(told(text), expected, "{text:?}");
        }
    }

    #[test]
    fn old_spellings_are_found() {
        assert_eq!(other_spellings("jose@example.com"), Vec::<String>::new());
        assert_eq!(other_spellings("jos\u{e9}"), ["jose\u{301}"]);
        assert_eq!(other_spellings("jose\u{301}"), ["jos\u{e9}"]);
        assert_eq!(other_spellings("\u{212b}"), ["\u{c5}", "A\u{30a}"]);
    }
}
