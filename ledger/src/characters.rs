//! Characters that a reader cannot see, or that move the text around them. Two texts that differ only in these look the
//! same to a person and are different to a program.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Whether a character leaves no mark: spaces, control and format characters, and whatever fonts are told to skip
/// (`Default_Ignorable_Code_Point`: zero-width spaces, joiners, soft hyphens, variation selectors, fillers, tags).
pub fn is_invisible(c: char) -> bool {
    /// Empty in every font, although it counts as a symbol.
    const BRAILLE_BLANK: char = '\u{2800}';
    if c.is_ascii() {
        return !c.is_ascii_graphic();
    }
    c.is_whitespace()
        || c == BRAILLE_BLANK
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || matches!(
            CodePointMapData::<GeneralCategory>::new().get(c),
            GeneralCategory::Control | GeneralCategory::Format
        )
}

/// Whether a character makes the text after it run in another direction until something ends it (UAX #9: embeddings,
/// overrides, isolates and what ends them). Marks such as U+200F, which say what direction they have themselves, do not.
pub fn redirects(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A character's name in tables of Unicode: `U+200B`.
pub fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen() {
        for c in [
            ' ',
            '\t',
            '\0',
            '\u{7f}',
            '\u{a0}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{17b4}',
            '\u{180e}',
            '\u{2003}',
            '\u{200b}',
            '\u{200d}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2069}',
            '\u{2800}',
            '\u{3000}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0041}',
        ] {
            assert!(is_invisible(c), "{}", code_point(c));
        }
        for c in ['!', '~', 'ä', 'ß', '例', 'م', '\u{301}', '€', '🎉', '\u{fffd}'] {
            assert!(!is_invisible(c), "{}", code_point(c));
        }
    }

    #[test]
    fn what_turns_the_text_around() {
        let all: String = ('\0'..=char::MAX)
            .filter(|c| redirects(*c))
            .map(|c| code_point(c) + " ")
            .collect();
        assert_eq!(all, "U+202A U+202B U+202C U+202D U+202E U+2066 U+2067 U+2068 U+2069 ");
        assert!(!redirects('\u{200f}'));
    }
}
