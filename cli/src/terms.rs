//! The platform's terms, from the environment. They are checked before anything starts: a fee that is misread must not
//! be found out by the first creator who is paid.

use crate::error::Error;
use std::env::VarError;
use viral_domain::{BasisPoints, Rate, Terms, Vcoin};
use viral_ledger::Asset;

/// The terms of the environment, with the defaults of [`Terms`] for what is not set.
pub(crate) fn from_env() -> Result<Terms, Error> {
    read(|name| match std::env::var(name) {
        Ok(text) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
        Ok(_) | Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Error::Other(format!("{name} is not UTF-8"))),
    })
}

fn read(get: impl Fn(&str) -> Result<Option<String>, Error>) -> Result<Terms, Error> {
    let mut terms = Terms::default();
    if let Some(text) = get("VIRAL_FEE_BPS")? {
        let share = text
            .parse()
            .ok()
            .map(BasisPoints)
            .filter(|share| share.0 <= BasisPoints::ALL.0);
        terms.fee = share.ok_or_else(|| bad("VIRAL_FEE_BPS", &text, "hundredths of a percent from 0 to 10000"))?;
    }
    if let Some(text) = get("VIRAL_RATE")? {
        terms.rate = Rate::parse(&text).map_err(|error| Error::Other(format!("VIRAL_RATE: {error}")))?;
    }
    if let Some(text) = get("VIRAL_FIAT")? {
        terms.fiat = Asset::parse(&text).map_err(|error| Error::Other(format!("VIRAL_FIAT: {error}")))?;
    }
    if terms.fiat == Asset::VCOIN {
        return Err(Error::Other("VIRAL_FIAT: VCOIN is not fiat money".to_owned()));
    }
    if let Some(text) = get("VIRAL_ADMIN_LIMIT")? {
        let limit = Vcoin::parse(&text).ok().filter(|limit| limit.0.minor() >= 0);
        terms.admin_limit = limit.ok_or_else(|| bad("VIRAL_ADMIN_LIMIT", &text, "an amount of V-Coin such as 1000"))?;
    }
    if let Some(text) = get("VIRAL_PAYOUT_ATTEMPTS")? {
        let attempts = text.parse().ok().filter(|attempts| (1..=100).contains(attempts));
        terms.payout_attempts =
            attempts.ok_or_else(|| bad("VIRAL_PAYOUT_ATTEMPTS", &text, "a number from 1 to 100"))?;
    }
    Ok(terms)
}

fn bad(name: &str, text: &str, what: &str) -> Error {
    Error::Other(format!("{name} is {text:?}, but must be {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Result<Terms, Error> {
        read(|asked| Ok((asked == name).then(|| value.to_owned())))
    }

    #[test]
    fn what_is_set_is_taken_and_what_is_wrong_is_named() {
        assert_eq!(read(|_| Ok(None)).unwrap(), Terms::default());
        assert_eq!(with("VIRAL_FEE_BPS", "250").unwrap().fee, BasisPoints(250));
        assert_eq!(with("VIRAL_RATE", "0.02").unwrap().rate, Rate::parse("0.02").unwrap());
        assert_eq!(with("VIRAL_FIAT", "EUR").unwrap().fiat.code(), "EUR");
        assert_eq!(
            with("VIRAL_ADMIN_LIMIT", "5").unwrap().admin_limit,
            Vcoin::parse("5").unwrap()
        );
        assert_eq!(with("VIRAL_PAYOUT_ATTEMPTS", "1").unwrap().payout_attempts, 1);
        for (name, value) in [
            ("VIRAL_FEE_BPS", "10001"),
            ("VIRAL_FEE_BPS", "5%"),
            ("VIRAL_RATE", "0"),
            ("VIRAL_FIAT", "VCOIN"),
            ("VIRAL_FIAT", "usd"),
            ("VIRAL_ADMIN_LIMIT", "-1"),
            ("VIRAL_PAYOUT_ATTEMPTS", "0"),
        ] {
            let error = with(name, value).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
