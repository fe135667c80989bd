//! What something costs: time on the clock, and on the processors of everybody who takes part.

use super::cpu;
use super::figures::median;
use super::server::Server;
use crate::Error;
use serde::Serialize;
use std::fmt::Write as _;
use std::time::Instant;

/// Runs from its beginning on.
pub(super) struct Meter {
    began: Instant,
    processes: Processes,
    before: [f64; 3],
}

/// Who takes part.
#[derive(Debug, Clone, Copy)]
struct Processes {
    own: u32,
    service: u32,
    postmaster: u32,
}

impl Processes {
    /// Seconds on the processors so far.
    fn seconds(self) -> [f64; 3] {
        [
            cpu::of(self.own),
            cpu::of(self.service),
            cpu::of_family(self.postmaster),
        ]
    }
}

/// What was used up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spent {
    seconds: f64,
    /// On the processors.
    cpu: [f64; 3],
}

/// What one event or row costs; times on the processors in microseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Cost {
    pub(super) per_second: f64,
    /// Of the process that is measured.
    pub(super) own_cpu_us: f64,
    /// Of the component that it works with: the broker, the engine.
    pub(super) service_cpu_us: f64,
    pub(super) database_cpu_us: f64,
}

/// Ours, and the least that a program could do.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Compared {
    ours: Cost,
    bare: Cost,
    ours_over_bare: f64,
}

impl Meter {
    /// Begins, of the process `own` that works with `service` and the PostgreSQL of the benchmark.
    pub(super) async fn start(server: &Server, own: u32, service: u32) -> Result<Meter, Error> {
        server.settle().await?;
        let processes = Processes {
            own,
            service,
            postmaster: server.postmaster()?,
        };
        Ok(Meter {
            began: Instant::now(),
            processes,
            before: processes.seconds(),
        })
    }

    /// What was used up since the beginning.
    pub(super) fn spent(&self) -> Spent {
        let seconds = self.began.elapsed().as_secs_f64();
        let after = self.processes.seconds();
        let of = |index: usize| after[index] - self.before[index];
        Spent {
            seconds,
            cpu: [of(0), of(1), of(2)],
        }
    }

    /// What this many events or rows have cost since the beginning.
    pub(super) fn cost(&self, count: u64) -> Cost {
        self.spent().over(count)
    }
}

impl Spent {
    /// What each of this many has cost.
    pub(super) fn over(self, count: u64) -> Cost {
        let count = count as f64;
        let [own_cpu_us, service_cpu_us, database_cpu_us] = self.cpu.map(|seconds| seconds / count * 1e6);
        Cost {
            per_second: count / self.seconds,
            own_cpu_us,
            service_cpu_us,
            database_cpu_us,
        }
    }
}

impl Cost {
    fn median(costs: &[Cost]) -> Cost {
        let of = |figure: fn(&Cost) -> f64| median(&costs.iter().map(figure).collect::<Vec<_>>());
        Cost {
            per_second: of(|cost| cost.per_second),
            own_cpu_us: of(|cost| cost.own_cpu_us),
            service_cpu_us: of(|cost| cost.service_cpu_us),
            database_cpu_us: of(|cost| cost.database_cpu_us),
        }
    }
}

impl Compared {
    /// The medians of both.
    pub(super) fn new(ours: &[Cost], bare: &[Cost]) -> Compared {
        let (ours, bare) = (Cost::median(ours), Cost::median(bare));
        Compared {
            ours,
            bare,
            ours_over_bare: ours.per_second / bare.per_second,
        }
    }

    /// A line for each.
    pub(super) fn write(&self, text: &mut String, (name, bare): (&str, &str)) -> std::fmt::Result {
        for (name, cost) in [(bare, &self.bare), (name, &self.ours)] {
            let Cost {
                per_second,
                own_cpu_us,
                service_cpu_us,
                database_cpu_us,
            } = cost;
            write!(
                text,
                "{name:<20} {per_second:>9.0} {own_cpu_us:>9.1} {service_cpu_us:>10.1} {database_cpu_us:>12.1}"
            )?;
            match name == bare {
                true => writeln!(text)?,
                false => writeln!(text, "   {:.2} of it", self.ours_over_bare)?,
            }
        }
        Ok(())
    }
}
