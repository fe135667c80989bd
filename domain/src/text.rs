//! Texts from users: not too long, and without characters that cannot be kept or shown everywhere. Rules of input, asked by
//! decisions only: an old log may hold other texts.

use viral_ledger::characters::{code_point, is_invisible, redirects};
use viral_ledger::identifier;

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct InvalidText {
    /// Which field.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// The longest title, in characters.
pub const TITLE: usize = 200;
/// The longest description or note, in characters.
pub const DESCRIPTION: usize = 4_000;
/// The longest reason, in characters.
pub const REASON: usize = 1_000;

/// Checks one line of text: something must be there to be seen, without control characters, and it must not turn the text
/// around that it is shown in.
pub fn check_line(field: &'static str, text: &str, max: usize) -> Result<(), InvalidText> {
    if text.trim().is_empty() {
        let problem = "must not be empty".to_owned();
        return Err(InvalidText { field, problem });
    }
    check(field, text, max, |c| c.is_control())?;
    let problem = if let Some((index, c)) = text.chars().enumerate().find(|(_, c)| redirects(*c)) {
        let (c, place) = (code_point(c), index + 1);
        format!("has {c} as character {place}, which changes the direction of text: leave it out")
    } else if text.chars().all(is_invisible) {
        "has no character that can be seen".to_owned()
    } else {
        return Ok(());
    };
    Err(InvalidText { field, problem })
}

/// Checks what something is called elsewhere, by [`identifier::check`].
pub fn check_identifier(field: &'static str, text: &str, max: usize) -> Result<(), InvalidText> {
    identifier::check(text, max).map_err(|invalid| InvalidText {
        field,
        problem: invalid.to_string(),
    })
}

/// Checks a text of several lines, which may be empty: line breaks and tabs are fine.
pub fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), InvalidText> {
    check(field, text, max, |c| c.is_control() && !matches!(c, '\n' | '\t'))
}

fn check(field: &'static str, text: &str, max: usize, bad: impl Fn(char) -> bool) -> Result<(), InvalidText> {
    let problem = if text.chars().count() > max {
        format!("has more than {max} characters")
    } else if text.chars().any(bad) {
        "has control characters".to_owned()
    } else {
        return Ok(());
    };
    Err(InvalidText { field, problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(result: Result<(), InvalidText>) -> String {
        result.map_or_else(|error| error.to_string(), |()| "ok".to_owned())
    }

    #[test]
    fn a_line_says_something_on_one_line() {
        let table = [
            ("a", "ok"),
            ("größer", "ok"),
            ("sechs!!", "x has more than 6 characters"),
            ("", "x must not be empty"),
            (" \t\n", "x must not be empty"),
            ("a\nb", "x has control characters"),
            ("a\u{0}", "x has control characters"),
            ("a\u{7f}", "x has control characters"),
            ("\u{200b}", "x has no character that can be seen"),
            ("\u{feff} \u{ad}", "x has no character that can be seen"),
            ("\u{3164}", "x has no character that can be seen"),
            ("👩\u{200d}🎤", "ok"),
            ("\u{200f}שלום", "ok"),
            (
                "a\u{202e}b",
                "x has U+202E as character 2, which changes the direction of text: leave it out",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(problem(check_line("x", text, 6)), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_may_be_empty_and_have_lines() {
        let table = [
            ("", "ok"),
            ("a\n\tb", "ok"),
            ("a\rb", "x has control characters"),
            ("a\u{1b}b", "x has control characters"),
            ("sieben!", "x has more than 6 characters"),
        ];
        for (text, expected) in table {
            assert_eq!(problem(check_text("x", text, 6)), expected, "{text:?}");
        }
    }
}
