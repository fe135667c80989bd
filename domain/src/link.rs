//! Links from users. Others click on them, so they lead to the web and to nowhere else: `http` or `https`, a host that can
//! be read, nobody's name or password. Programs that read a link must agree on its host: what WHATWG's parser would mend in
//! silence (spaces, backslashes, missing slashes) is refused.

use crate::text::InvalidText;
use url::Url;
use viral_ledger::characters::{code_point, is_invisible};

/// Checks a link of at most `max` characters.
///
/// # Errors
/// [`InvalidText`] naming the field and the first thing that is wrong with it.
pub fn check(field: &'static str, text: &str, max: usize) -> Result<(), InvalidText> {
    problem(text, max).map_or(Ok(()), |problem| Err(InvalidText { field, problem }))
}

fn problem(text: &str, max: usize) -> Option<String> {
    if text.chars().count() > max {
        return Some(format!("has more than {max} characters"));
    }
    if let Some((index, c)) = text.chars().enumerate().find(|(_, c)| is_invisible(*c) || *c == '\\') {
        let (c, place) = (code_point(c), index + 1);
        return Some(format!(
            "has {c} as character {place}: leave it out, or percent-encode it"
        ));
    }
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    // The parser would take further slashes away.
    if !web || rest.starts_with('/') {
        return Some("must be a link such as https://example.com/video".to_owned());
    }
    if rest
        .split(['/', '?', '#'])
        .next()
        .is_some_and(|authority| authority.contains('@'))
    {
        return Some("names a user before the host: leave out what is before the @, and the @".to_owned());
    }
    match Url::parse(text) {
        Ok(_) => None,
        Err(error) => Some(format!("must be a link such as https://example.com/video: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        check("url", text, 2_000).map_or_else(|error| error.problem, |()| "ok".to_owned())
    }

    #[test]
    fn links_lead_to_the_web() {
        for text in [
            "https://video.example",
            "HTTP://video.example/a?b=c#d",
            "https://例え.example/ü",
            "http://localhost:8080/",
            "https://[::1]/x",
            "https://video.example/@channel?to=a@b.example",
            "https://video.example/%E2%80%8B",
        ] {
            assert_eq!(told(text), "ok", "{text}");
        }
        let shape = "must be a link such as https://example.com/video";
        for text in [
            "",
            "video.example",
            "javascript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "ftp://video.example",
            "https:///x",
            "http:/x",
            "https:video.example",
        ] {
            assert_eq!(told(text), shape, "{text}");
        }
        for (text, why) in [
            ("https://", "empty host"),
            ("https://?x", "empty host"),
            ("https://:80", "empty host"),
            ("http://[::1", "invalid IPv6 address"),
            ("https://a:99999", "invalid port number"),
            ("https://1.2.3.256/", "invalid IPv4 address"),
        ] {
            assert_eq!(told(text), format!("{shape}: {why}"), "{text}");
        }
    }

    #[test]
    fn links_name_nobody_and_hide_nothing() {
        for text in [
            "https://me@video.example",
            "https://me:secret@video.example/",
            "https://@video.example",
        ] {
            assert!(told(text).starts_with("names a user before the host"), "{text}");
        }
        for (text, place) in [
            ("https://video.example/a b", "U+0020 as character 24"),
            (" https://video.example", "U+0020 as character 1"),
            ("https://video.example/\n", "U+000A as character 23"),
            ("https://exam\u{200b}ple.com", "U+200B as character 13"),
            ("https://example.com/\u{202e}gpj", "U+202E as character 21"),
            ("https://good.example\\@bad.example", "U+005C as character 21"),
        ] {
            assert_eq!(
                told(text),
                format!("has {place}: leave it out, or percent-encode it"),
                "{text:?}"
            );
        }
        let long = |length: usize| format!("https://video.example/{}", "x".repeat(length - 22));
        assert_eq!(told(&long(2_000)), "ok");
        assert_eq!(told(&long(2_001)), "has more than 2000 characters");
    }
}
