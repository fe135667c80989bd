//! Progress of long work on standard error: a bar on a terminal, else a line every few seconds.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use viral_audit::Progress;
use viral_audit::progress::Unit;

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Draws progress on standard error.
#[derive(Debug)]
pub(crate) struct OnStderr {
    bar: ProgressBar,
    line: Mutex<Line>,
    terminal: bool,
}

#[derive(Debug)]
struct Line {
    name: String,
    unit: Unit,
    total: u64,
    next: Instant,
}

impl OnStderr {
    /// For this process's standard error.
    pub(crate) fn new() -> OnStderr {
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        OnStderr {
            bar: ProgressBar::with_draw_target(Some(0), target),
            line: Mutex::new(Line {
                name: String::new(),
                unit: Unit::Events,
                total: 0,
                next: Instant::now() + LINE_EVERY,
            }),
            terminal,
        }
    }
}

impl Default for OnStderr {
    fn default() -> OnStderr {
        OnStderr::new()
    }
}

impl Drop for OnStderr {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for OnStderr {
    fn begin(&self, name: &str, unit: Unit, total: u64) {
        let template = match unit {
            Unit::Events => "{msg} [{wide_bar}] {human_pos}/{human_len} events, {per_sec}, {eta} left",
            Unit::Bytes => "{msg} [{wide_bar}] {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_length(total);
        self.bar.set_position(0);
        self.bar.set_message(name.to_owned());
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        *line = Line {
            name: name.to_owned(),
            unit,
            total,
            next: Instant::now() + LINE_EVERY,
        };
    }

    fn advance(&self, done: u64) {
        self.bar.set_position(done);
        if self.terminal {
            return;
        }
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if Instant::now() >= line.next {
            line.next = Instant::now() + LINE_EVERY;
            let unit = match line.unit {
                Unit::Events => "events",
                Unit::Bytes => "bytes",
            };
            eprintln!("{}: {done} of {} {unit}", line.name, line.total);
        }
    }
}
