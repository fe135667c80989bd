//! The command line. Names and meanings are a contract: programs call them.

use crate::limits::{DatabaseArgs, LimitArgs};
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
    /// Only answer HTTP: read models are written by `viral project`, deadlines kept by `viral work`
    Api(UpArgs),
    /// Only write the read models
    Project(ProjectArgs),
    /// Only publish the log to Kafka
    Relay(RelayArgs),
    /// Only do what follows by itself: deadlines, expiries, payouts to be sent
    Work(WorkArgs),
    /// Bring the database to the newest version, and make Kafka's topics and ClickHouse's tables where those are set
    Migrate,
    /// Walk the whole journey of a campaign through the API of a running `viral up --dev`
    Demo(DemoArgs),
    /// Say what is in use and whether it can be reached
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// Print passwords instead of ***
        #[arg(long)]
        show_secrets: bool,
    },
    /// Replay, verify and sum up the log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Accept what stopped the platform: a log that lost events, a clock that was set
    #[command(subcommand)]
    Log(LogCommand),
    /// List, rebuild and resume the read models
    #[command(subcommand)]
    Projections(ProjectionsCommand),
    /// Tell what became of a payout
    #[command(subcommand)]
    Payout(PayoutCommand),
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
    /// How the log is followed
    #[command(flatten)]
    pub follow: FollowArgs,
    /// What it takes on at once
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Its share of the database
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// How a role follows the log and tells how far it is.
#[derive(Debug, Clone, Args, Default)]
pub struct FollowArgs {
    /// Where read models and workers take their events from
    #[arg(long, env = "VIRAL_FEED", value_enum, default_value = "store")]
    pub feed: FeedFrom,
    /// How far it is
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// How a role is watched.
#[derive(Debug, Clone, Args, Default)]
pub struct WatchArgs {
    /// Where to answer Prometheus at /metrics, for whoever reaches that address [default: nowhere]
    #[arg(long, env = "VIRAL_METRICS", value_name = "ADDRESS")]
    pub metrics: Option<SocketAddr>,
}

/// Where events are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FeedFrom {
    /// The event store.
    #[default]
    Store,
    /// Kafka, which the relay fills.
    Kafka,
}

/// How to write the read models.
#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// How the log is followed
    #[command(flatten)]
    pub follow: FollowArgs,
    /// Its share of the database
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// How to publish the log.
#[derive(Debug, Args)]
pub struct RelayArgs {
    /// How it is watched
    #[command(flatten)]
    pub watch: WatchArgs,
    /// Its share of the database
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// How to do what follows by itself.
#[derive(Debug, Args)]
pub struct WorkArgs {
    /// As on a developer's machine
    #[arg(long)]
    pub dev: bool,
    /// How the log is followed
    #[command(flatten)]
    pub follow: FollowArgs,
    /// Its share of the database
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Where the demo takes place.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The address of the API [default: the one that runs in this home]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Start a platform for the time of the demo, if none runs in this home
    #[arg(long, conflicts_with = "url")]
    pub start: bool,
}

/// What to do about the log itself.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// Accept that the log lost events, or with --clock that its server's clock was set, and record who says so and why
    ///
    /// Run it in the home of the process that stopped (--home). It appends one event, which stays for good. After a loss
    /// start every process of the platform again; after a clock they go on by themselves.
    Accept(AcceptArgs),
}

/// What is accepted.
#[derive(Debug, Args)]
pub struct AcceptArgs {
    /// Why, for whoever reads the log later. It is published with the log: no personal data
    #[arg(long)]
    pub reason: String,
    /// Who accepts it: a pseudonymous id, which becomes the event's actor
    #[arg(long, value_name = "ID", default_value = "operator")]
    pub by: String,
    /// Accept the clock of the log's server as it is, instead of lost events
    #[arg(long)]
    pub clock: bool,
}

/// What to do with read models.
#[derive(Debug, Subcommand)]
pub enum ProjectionsCommand {
    /// Show version, position and problems of each
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Build one anew from the log beside the live one, then replace it in one step
    Rebuild {
        /// Which, or all
        name: String,
    },
    /// Try again what one could not take in
    Resume {
        /// Which, or all
        name: String,
    },
}

/// What became of a payout's last attempt.
#[derive(Debug, Subcommand)]
pub enum PayoutCommand {
    /// The creator has the money
    Settle {
        /// Which payout
        #[command(flatten)]
        args: PayoutArgs,
        /// The bank's or provider's own id of the payment
        #[arg(long, value_name = "ID")]
        reference: Option<String>,
    },
    /// It definitely did not pay: it is sent again while attempts are left
    Fail {
        /// Which payout
        #[command(flatten)]
        args: PayoutArgs,
        /// What the bank or provider says
        #[arg(long)]
        reason: Option<String>,
        /// Do not send it again: the V-Coin goes back to the creator
        #[arg(long = "final")]
        finally: bool,
    },
    /// Nobody knows whether it paid: nothing is sent until somebody does
    Unknown {
        /// Which payout
        #[command(flatten)]
        args: PayoutArgs,
        /// What the bank or provider says
        #[arg(long)]
        reason: Option<String>,
    },
}

/// Which payout, and where.
#[derive(Debug, Args)]
pub struct PayoutArgs {
    /// The payout's id
    pub id: uuid::Uuid,
    /// Which attempt is meant: refused unless it is the last one [default: the last one]
    #[arg(long, value_name = "N")]
    pub attempt: Option<u32>,
    /// The address of the API [default: the one that runs in this home]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

impl Default for UpArgs {
    fn default() -> UpArgs {
        UpArgs {
            dev: false,
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            limits: LimitArgs::default(),
            database: DatabaseArgs::default(),
            follow: FollowArgs::default(),
        }
    }
}

impl From<ProjectArgs> for UpArgs {
    fn from(args: ProjectArgs) -> UpArgs {
        UpArgs {
            database: args.database,
            follow: args.follow,
            ..UpArgs::default()
        }
    }
}

impl From<RelayArgs> for UpArgs {
    fn from(args: RelayArgs) -> UpArgs {
        let follow = FollowArgs {
            watch: args.watch,
            ..FollowArgs::default()
        };
        UpArgs {
            database: args.database,
            follow,
            ..UpArgs::default()
        }
    }
}

impl From<WorkArgs> for UpArgs {
    fn from(args: WorkArgs) -> UpArgs {
        UpArgs {
            dev: args.dev,
            database: args.database,
            follow: args.follow,
            ..UpArgs::default()
        }
    }
}

/// Where the events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Source {
    /// The event store
    Store,
    /// A file of lines, as `viral export events` writes them: no database is needed
    File,
    /// What was published to Kafka: no database is needed either
    Kafka,
}

/// Where the events come from.
#[derive(Debug, Args)]
pub struct SourceArgs {
    /// Where the events come from [default: store, or file where a --file is named]
    #[arg(long, value_enum, requires_if("file", "file"))]
    pub source: Option<Source>,
    /// The lines of `viral export events`, plain or gzip; - is standard input
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Which log, where Kafka has the events of several: `urn:viral:log:<uuid>`
    #[arg(long, value_name = "URN")]
    pub log: Option<String>,
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
        #[command(flatten)]
        source: SourceArgs,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Read every stored byte again and name the first bad position, if there is one
    Verify {
        /// Where the events come from
        #[command(flatten)]
        source: SourceArgs,
        /// The moment to verify up to: a position, or the time up to which events were recorded
        #[arg(long, value_name = "POSITION|TIME")]
        as_of: Option<AsOf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Compare every row and column of the read models with a replay of the log
    Diff {
        /// Compare ClickHouse instead: every row up to its watermark, and its sums
        #[arg(long)]
        clickhouse: bool,
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
        /// Where the events come from
        #[command(flatten)]
        source: SourceArgs,
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
        /// Where the events come from
        #[command(flatten)]
        source: SourceArgs,
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
        /// Where the events come from
        #[command(flatten)]
        source: SourceArgs,
    },
    /// Write the AsyncAPI document of the published log: topics, messages and the JSON Schema of every event
    Asyncapi {
        /// Where to write; standard output if absent
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

/// What to import.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Post every row of a CSV file as a transaction, once, however often it is run
    Journal(ImportJournalArgs),
    /// Restore a lost log from a copy of its lines into an empty database, every event at its own position
    Events(ImportEventsArgs),
}

/// How to restore a log.
#[derive(Debug, Args)]
pub struct ImportEventsArgs {
    /// Where the copy is
    #[command(flatten)]
    pub source: SourceArgs,
    /// Where the copy ends in the middle of a unit, leave out what is there of it
    #[arg(long)]
    pub drop_incomplete_unit: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
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
