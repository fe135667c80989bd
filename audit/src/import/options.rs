//! What can be said about an import, and its compiled form.

use super::error::ImportError;
use crate::input;
use globset::{Glob, GlobSet, GlobSetBuilder};
use std::path::{Path, PathBuf};
use std::time::Duration;
use viral_ledger::Address;

/// How to import a journal.
#[derive(Debug, Clone)]
pub struct Options {
    /// What the ids of entries derive from beside their own; the file's name without folders if absent.
    pub source: Option<String>,
    /// Patterns of accounts that are opened so that they may go below zero. `*` matches `:` too.
    pub overdraft: Vec<String>,
    /// Patterns of accounts that are opened to grow by debits; all others grow by credits.
    pub debit_normal: Vec<String>,
    /// The column with a printed running balance to compare with.
    pub check_balance: Option<String>,
    /// How far a printed balance may be off, a decimal number.
    pub tolerance: String,
    /// Pattern of the accounts that printed balances belong to: one of the two accounts of each row.
    pub balance_of: String,
    /// Stop at the first bad row. Rows are posted one by one then, so that none after it is.
    pub strict: bool,
    /// Where bad rows go; `<file name>.rejects.csv` in the current folder if absent.
    pub rejects: Option<PathBuf>,
    /// How long to try again while the log cannot be reached.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            source: None,
            overdraft: Vec::new(),
            debit_normal: Vec::new(),
            check_balance: None,
            tolerance: "0".to_owned(),
            balance_of: "customer:*".to_owned(),
            strict: false,
            rejects: None,
            patience: Duration::from_secs(30),
        }
    }
}

/// Patterns over whole addresses.
#[derive(Debug, Clone)]
pub(super) struct Patterns(GlobSet);

impl Patterns {
    pub(super) fn compile(option: &'static str, patterns: &[String]) -> Result<Patterns, ImportError> {
        let problem = |error: globset::Error| ImportError::Option {
            option,
            problem: error.to_string(),
        };
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            set.add(Glob::new(pattern).map_err(problem)?);
        }
        Ok(Patterns(set.build().map_err(problem)?))
    }

    pub(super) fn matches(&self, address: &Address) -> bool {
        self.0.is_match(address.as_str())
    }
}

impl Options {
    /// What the ids of entries derive from.
    pub(super) fn source_of(&self, file: &Path) -> Result<String, ImportError> {
        let source = self.source.clone().unwrap_or_else(|| input::name(file));
        let problem = if source.is_empty() {
            "give the import a name with --source"
        } else if source.chars().count() > 200 || source.chars().any(char::is_control) {
            "a source has at most 200 characters and no control characters"
        } else {
            return Ok(source);
        };
        Err(ImportError::Option {
            option: "--source",
            problem: problem.to_owned(),
        })
    }

    /// Where bad rows go.
    pub(super) fn rejects_of(&self, file: &Path) -> Result<PathBuf, ImportError> {
        let default = || PathBuf::from(format!("{}.rejects.csv", input::name(file)));
        let path = self.rejects.clone().unwrap_or_else(default);
        let same = match (path.canonicalize(), file.canonicalize()) {
            (Ok(rejects), Ok(file)) => rejects == file,
            _ => false,
        };
        if same {
            let problem = "the rejects cannot go into the file that is imported".to_owned();
            return Err(ImportError::Option {
                option: "--rejects",
                problem,
            });
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_colons() {
        let patterns = Patterns::compile("--overdraft", &["customer:*".to_owned(), "bank:{a,b}".to_owned()]).unwrap();
        for (address, matches) in [
            ("customer:1", true),
            ("customer:1:eur", true),
            ("customers:1", false),
            ("bank:b", true),
            ("bank:c", false),
        ] {
            assert_eq!(
                patterns.matches(&Address::parse(address).unwrap()),
                matches,
                "{address}"
            );
        }
        let all = Patterns::compile("--overdraft", &["*".to_owned()]).unwrap();
        assert!(all.matches(&Address::parse("a:b:c").unwrap()));
        assert!(Patterns::compile("--overdraft", &["a[".to_owned()]).is_err());
    }

    #[test]
    fn a_source_is_the_files_name_unless_it_is_given() {
        let mut options = Options::default();
        assert_eq!(
            options.source_of(Path::new("folder/bank.csv.gz")).unwrap(),
            "bank.csv.gz"
        );
        options.source = Some("a\nb".to_owned());
        assert!(options.source_of(Path::new("bank.csv")).is_err());
    }
}
