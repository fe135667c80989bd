//! URLs as they may be shown.

/// Query parameters whose values are secrets.
const SECRET: [&str; 2] = ["password", "sslpassword"];

/// A URL without its passwords. Where one has special characters that are not encoded, more than it is left out, never
/// less: the user part ends at the last `@`.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "***".to_owned();
    };
    // An @ behind a secret of the query: where that ends nobody can tell.
    let user = rest.rsplit_once('@').map_or("", |(user, _)| user).to_ascii_lowercase();
    if SECRET.iter().any(|name| user.contains(&format!("{name}="))) {
        return format!("{scheme}://***");
    }
    let shown = match rest.rsplit_once('@') {
        Some((user, rest)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{rest}"),
            None => format!("{user}@{rest}"),
        },
        None => rest.to_owned(),
    };
    let (address, query) = match shown.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (shown.as_str(), None),
    };
    let pairs = query.map(|query| query.split('&').map(masked).collect::<Vec<_>>().join("&"));
    let query = pairs.map(|pairs| format!("?{pairs}")).unwrap_or_default();
    format!("{scheme}://{address}{query}")
}

fn masked(pair: &str) -> String {
    match pair.split_once('=') {
        Some((name, _)) if SECRET.contains(&name.to_ascii_lowercase().as_str()) => format!("{name}=***"),
        _ => pair.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn no_password_is_shown() {
        for (url, shown) in [
            (
                "postgres://viral:secret@db:5432/viral",
                "postgres://viral:***@db:5432/viral",
            ),
            (
                "postgres://viral:se/cr@et?@db/viral?a=b",
                "postgres://viral:***@db/viral?a=b",
            ),
            ("postgres://viral@db/viral", "postgres://viral@db/viral"),
            (
                "postgres:///viral?host=/run&password=secret",
                "postgres:///viral?host=/run&password=***",
            ),
            (
                "kurrentdb://viral:se/cret@log:2113?tls=false",
                "kurrentdb://viral:***@log:2113?tls=false",
            ),
            (
                "kurrentdb://admin:ch@nge:it@host:2113?tls=false",
                "kurrentdb://admin:***@host:2113?tls=false",
            ),
            ("kurrentdb://host:2113", "kurrentdb://host:2113"),
            ("postgres://viral@db:5432/viral?password=p@ss", "postgres://***"),
            ("postgres://db:5432/viral?a=b&sslpassword=p@ss", "postgres://***"),
            ("viral:secret@db", "***"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
