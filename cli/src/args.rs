//! The command line. Names and meanings are a contract: programs call them.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;
use viral_audit::{AsOf, Cutoff};

/// Viral Engine: an event-sourced ledger platform, and the tools to audit it.
#[derive(Debug, Parser)]
#[command(version, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    /// The folder of the platform's own files: the embedded PostgreSQL, tokens.
    #[arg(
        long,
        global = true,
        env = "VIRAL_HOME",
        default_value = ".viral",
        value_name = "DIR"
    )]
    pub home: PathBuf,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run every role in one process, with a PostgreSQL of its own unless DATABASE_URL is set
    Up(UpArgs),
    /// Bring the database to the newest version
    Migrate,
    /// Say what is in use and whether it can be reached
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Replay, verify and sum up the log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Write events or a journal to standard output or a file
    #[command(subcommand)]
    Export(ExportCommand),
    /// Read a foreign ledger into the log
    #[command(subcommand)]
    Import(ImportCommand),
    /// Measure this machine: the writer beside bare COPY and a plain SQL ledger, replay, verify, import
    Bench(crate::bench::BenchArgs),
}

/// How to run the platform.
#[derive(Debug, Args)]
pub struct UpArgs {
    /// For a developer's machine: make a token where none is set, and say what to try
    #[arg(long)]
    pub dev: bool,
    /// Where to listen for HTTP
    #[arg(long, env = "VIRAL_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,
}

/// Where the events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// The event store.
    Store,
}

/// The auditor's questions.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Compute all balances from the events alone, and the hash of the state
    Replay {
        /// The moment to replay to: a position, or the time (RFC 3339) up to which events were recorded
        #[arg(long, value_name = "POSITION|TIME")]
        as_of: Option<AsOf>,
        /// Where the events come from
        #[arg(long, value_enum, default_value = "store")]
        source: Source,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Read every stored byte again and name the first bad position, if there is one
    Verify {
        /// Where the events come from
        #[arg(long, value_enum, default_value = "store")]
        source: Source,
        /// The moment to verify up to: a position, or the time up to which events were recorded
        #[arg(long, value_name = "POSITION|TIME")]
        as_of: Option<AsOf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the debits, credits and balance of every account
    TrialBalance {
        /// The moment: a position, or the time up to which events were recorded
        #[arg(long, value_name = "POSITION|TIME")]
        as_of: Option<AsOf>,
        /// Count only what takes effect at or before this date or time
        #[arg(long, value_name = "DATE|TIME")]
        effective: Option<Cutoff>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// The format of an exported journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum JournalFormat {
    /// For hledger 1.25 and newer.
    Hledger,
    /// For beancount 3.
    Beancount,
    /// Two rows a posting, for spreadsheets and audit tools.
    Csv,
}

/// What to export.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Write every event as its line: CloudEvents 1.0 in canonical JSON
    Events {
        /// Where to write; standard output if absent
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Start after this position
        #[arg(long, value_name = "POSITION", default_value_t = 0)]
        after: u64,
        /// End at this moment: a position, or the time up to which events were recorded
        #[arg(long, value_name = "POSITION|TIME")]
        as_of: Option<AsOf>,
    },
    /// Write the ledger's transactions as a journal
    Journal {
        /// The format
        #[arg(long, value_enum)]
        format: JournalFormat,
        /// Where to write; standard output if absent
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// End at this moment: a position, or the time up to which events were recorded
        #[arg(long, value_name = "POSITION|TIME")]
        as_of: Option<AsOf>,
    },
}

/// What to import.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Post every row of a CSV file as a transaction, once, however often it is run
    Journal(ImportJournalArgs),
}

/// How to import a journal.
#[derive(Debug, Args)]
pub struct ImportJournalArgs {
    /// A CSV file, plain or gzip, with the columns entry_id, effective_date, debit_account, credit_account, amount,
    /// asset, description; other columns become metadata
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The foreign ledger's name: an entry is posted once for a source and an entry_id [default: the file's name]
    #[arg(long)]
    pub source: Option<String>,
    /// Accounts that may go below zero, as patterns such as 'customer:*'; applies to accounts opened by this import
    #[arg(long, value_name = "PATTERN")]
    pub overdraft: Vec<String>,
    /// Accounts that grow on the debit side (assets and expenses), as patterns; all others grow on the credit side
    #[arg(long, value_name = "PATTERN")]
    pub debit_normal: Vec<String>,
    /// Compare this column, a running balance (credits less debits) after each entry, with ours
    #[arg(long, value_name = "COLUMN")]
    pub check_balance: Option<String>,
    /// How far the printed balances may differ from the exact ones
    #[arg(long, value_name = "AMOUNT", default_value = "0", requires = "check_balance")]
    pub tolerance: String,
    /// Whose balance the column shows: the account of the row that matches this pattern
    #[arg(
        long,
        value_name = "PATTERN",
        default_value = "customer:*",
        requires = "check_balance"
    )]
    pub balance_of: String,
    /// Stop at the first bad row
    #[arg(long)]
    pub strict: bool,
    /// Where to list refused rows [default: the file's name with .rejects.csv, in the current folder]
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}
