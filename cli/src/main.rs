//! `viral`: every role of the platform and the auditor's tools in one binary.

use clap::Parser as _;
use std::process::ExitCode;
use viral::args::Cli;

fn main() -> ExitCode {
    viral::run(Cli::parse())
}
