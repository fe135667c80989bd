//! `viral export`: lines, journals and what describes the published log, to standard output or a file.

use crate::args::{ExportCommand, JournalFormat};
use crate::error::Error;
use crate::progress::OnStderr;
use crate::source::OpenSource;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use viral_audit::export::{self, Format};
use viral_store::{EventStore, Position};

/// Runs one.
pub(crate) async fn run(home: &Path, command: ExportCommand) -> Result<(), Error> {
    let source = match &command {
        ExportCommand::Events { source, .. } | ExportCommand::Journal { source, .. } => source,
        ExportCommand::Asyncapi { output } => return asyncapi(output.clone()),
    };
    let source = OpenSource::open(home, source).await?;
    let result = write(&source.log, command).await;
    source.close().await?;
    result
}

async fn write(log: &Arc<dyn EventStore>, command: ExportCommand) -> Result<(), Error> {
    let progress = OnStderr::new();
    match command {
        ExportCommand::Events {
            output, after, as_of, ..
        } => {
            let mut out = Output::open(output)?;
            let as_of = as_of.unwrap_or_default();
            export::events(log, Position(after), as_of, out.writer(), &progress).await?;
            out.finish()
        }
        ExportCommand::Journal {
            format, output, as_of, ..
        } => {
            let mut out = Output::open(output)?;
            let format = match format {
                JournalFormat::Hledger => Format::Hledger,
                JournalFormat::Beancount => Format::Beancount,
                JournalFormat::Csv => Format::Csv,
            };
            export::journal(log, as_of.unwrap_or_default(), format, out.writer(), &progress).await?;
            out.finish()
        }
        ExportCommand::Asyncapi { output } => asyncapi(output),
    }
}

/// It is about every log, so it needs none.
fn asyncapi(output: Option<PathBuf>) -> Result<(), Error> {
    let mut out = Output::open(output)?;
    let written = out.writer().write_all(viral_kafka::asyncapi::text().as_bytes());
    written.map_err(Error::io("writing the AsyncAPI document"))?;
    out.finish()
}

/// Where the data goes. A file gets its name when it is complete: whoever finds it has all of it.
enum Output {
    Stdout(std::io::Stdout),
    Direct { file: File, path: PathBuf },
    File { file: File, draft: PathBuf, path: PathBuf },
}

impl Output {
    fn open(path: Option<PathBuf>) -> Result<Output, Error> {
        let Some(path) = path else {
            return Ok(Output::Stdout(std::io::stdout()));
        };
        // A link stays a link; a device or a pipe is written to as it is.
        let path = path.canonicalize().unwrap_or(path);
        if path.exists() && !path.is_file() {
            let file = File::options().write(true).open(&path);
            let file = file.map_err(Error::io(format!("cannot write {}", path.display())))?;
            return Ok(Output::Direct { file, path });
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let draft = path.with_file_name(name);
        let file = File::create(&draft).map_err(Error::io(format!("cannot write {}", draft.display())))?;
        Ok(Output::File { file, draft, path })
    }

    fn writer(&mut self) -> &mut (dyn Write + Send) {
        match self {
            Output::Stdout(stdout) => stdout,
            Output::Direct { file, .. } | Output::File { file, .. } => file,
        }
    }

    fn finish(self) -> Result<(), Error> {
        match &self {
            Output::Stdout(stdout) => stdout.lock().flush().map_err(Error::io("standard output")),
            Output::Direct { file, path } => (&*file)
                .flush()
                .map_err(Error::io(format!("cannot write {}", path.display()))),
            Output::File { file, draft, path } => file
                .sync_all()
                .and_then(|()| std::fs::rename(draft, path))
                .map_err(Error::io(format!("cannot write {}", path.display()))),
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // After a finish the draft has its new name, and nothing is left to remove.
        if let Output::File { draft, .. } = self {
            let _ = std::fs::remove_file(draft);
        }
    }
}
