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
