//! The stable names of refusals. One list makes both the name of each refusal and the list of all names, which the
//! documentation of the API and its tests go through: a variant without a name does not compile.

/// Names every variant of an error. Variants that share a name stand in one line, joined by `|`.
macro_rules! refusal_codes {
    ($error:ident { $($variant:pat => $code:literal,)+ }) => {
        impl $error {
            /// Every code that a refusal of this kind can have, in the order of the checks.
            pub const CODES: &[&str] = &[$($code),+];
        }

        impl $crate::aggregate::Refusal for $error {
            fn code(&self) -> &'static str {
                use $error::*;
                match self {
                    $($variant => $code,)+
                }
            }
        }
    };
}

pub(crate) use refusal_codes;

#[cfg(test)]
mod tests {
    use crate::fraud_flag::FraudFlagError;
    use crate::on_ramp::OnRampError;
    use crate::payout::PayoutError;
    use crate::user::{LoginError, UserError};
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_snake_case_and_differ() {
        let lists = [
            FraudFlagError::CODES,
            LoginError::CODES,
            OnRampError::CODES,
            PayoutError::CODES,
            UserError::CODES,
        ];
        for codes in lists {
            assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), codes.len(), "{codes:?}");
            for code in codes {
                assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{code}");
            }
        }
    }
}
