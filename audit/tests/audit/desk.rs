//! A place to import at: a folder, a log, and what the tests ask of them.

use crate::history::{History, address};
use crate::poster::WriterPoster;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use viral_audit::import::{self, ImportError, Options, Poster, Report};
use viral_audit::{Silent, verify};
use viral_store::Position;

pub(crate) const HEADER: &str = "entry_id,effective_date,debit_account,credit_account,amount,asset,description";

/// A folder, a log, and the options of an import into it.
pub(crate) struct Desk {
    pub(crate) log: History,
    pub(crate) folder: TempDir,
    pub(crate) options: Options,
}

impl Desk {
    pub(crate) async fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let options = Options {
            overdraft: vec!["*".to_owned()],
            rejects: Some(folder.path().join("rejects.csv")),
            patience: Duration::from_millis(250),
            ..Options::default()
        };
        Desk {
            log: History::new().await,
            folder,
            options,
        }
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn poster(&self) -> WriterPoster {
        WriterPoster(self.log.writer.clone())
    }

    pub(crate) async fn import_with(&self, path: &Path, poster: &dyn Poster) -> Result<Report, ImportError> {
        import::journal(path, &self.options, &self.log.store, poster, &Silent).await
    }

    pub(crate) async fn import(&self, path: &Path) -> Report {
        self.import_with(path, &self.poster()).await.unwrap()
    }

    pub(crate) async fn import_text(&self, content: impl AsRef<[u8]>) -> Report {
        self.import(&self.file("book.csv", content)).await
    }

    /// Imports rows below the usual header.
    pub(crate) async fn rows(&self, rows: &[&str]) -> Report {
        self.import_text(format!("{HEADER}\n{}\n", rows.join("\n"))).await
    }

    pub(crate) async fn refused_at_once(&self, content: impl AsRef<[u8]>) -> String {
        let path = self.file("book.csv", content);
        let error = self.import_with(&path, &self.poster()).await.unwrap_err().to_string();
        assert_eq!(self.log.head().await, Position(0), "something was posted");
        error
    }

    pub(crate) fn rejects(&self) -> Option<String> {
        std::fs::read_to_string(self.folder.path().join("rejects.csv")).ok()
    }

    /// The balance of an account on its normal side, in minor units.
    pub(crate) async fn balance(&self, account: &str) -> Option<i128> {
        let account = address(account);
        self.log
            .writer
            .read(move |book, _| book.account(&account).map(|a| a.balance()))
            .await
            .unwrap()
    }

    pub(crate) async fn holds(&self) {
        let verification = verify(&self.log.store, &Silent).await.unwrap();
        assert_eq!(verification.first_bad, None);
    }
}

/// `rows posted duplicates refused`.
pub(crate) fn counts(report: &Report) -> [u64; 4] {
    [report.rows, report.posted, report.duplicates, report.refused]
}
