//! The file of bad rows: line, reason, and the row as it was, so that it can be mended and imported again.

use super::chunk::Stop;
use super::records::Record;
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// The rejects. The file appears with the first of them.
pub(super) struct Rejects {
    path: PathBuf,
    names: Vec<String>,
    out: Option<csv::Writer<File>>,
}

impl Rejects {
    pub(super) fn new(path: PathBuf, names: Vec<String>) -> Rejects {
        Rejects { path, names, out: None }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, record: &Record, reason: &str) -> io::Result<()> {
        let out = match &mut self.out {
            Some(out) => out,
            None => {
                // A bad row may have any number of columns.
                let mut out = csv::WriterBuilder::new().flexible(true).from_path(&self.path)?;
                out.write_record(
                    ["line", "reason"]
                        .into_iter()
                        .chain(self.names.iter().map(String::as_str)),
                )?;
                self.out.insert(out)
            }
        };
        let line = record.line.to_string();
        let fields = [line.as_bytes(), reason.as_bytes()].into_iter().chain(record.fields());
        out.write_record(fields)?;
        Ok(())
    }

    /// Writes what is left; answers where the file is, if there is one.
    pub(super) fn finish(&mut self) -> io::Result<Option<PathBuf>> {
        match &mut self.out {
            Some(out) => {
                out.flush()?;
                Ok(Some(self.path.clone()))
            }
            None => Ok(None),
        }
    }

    /// Without a place for bad rows the import does not go on.
    pub(super) fn unwritable(&self, error: &io::Error) -> Stop {
        Stop::new(&format!(
            "the rejects file {} cannot be written: {error}",
            self.path.display()
        ))
    }
}
