//! Time on the processors, as `/proc` counts it.

/// Ticks of the kernel's clock per second, in which `/proc` counts; it has been this on Linux for decades.
const TICKS: f64 = 100.0;

/// Seconds that a process has used so far; 0 if there is none.
pub(super) fn of(id: u32) -> f64 {
    stat(id).map_or(0.0, |stat| stat.ticks / TICKS)
}

/// Seconds of a process and its children, as far as they live. Of PostgreSQL's first process: the whole server.
pub(super) fn of_family(parent: u32) -> f64 {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let of_family = ids.filter_map(|id: u32| {
        let stat = stat(id)?;
        (id == parent || stat.parent == parent).then_some(stat.ticks)
    });
    of_family.sum::<f64>() / TICKS
}

/// Whether a process runs; one that has ended and was not waited for does not.
pub(super) fn is_there(id: u32) -> bool {
    stat(id).is_some_and(|stat| !stat.ended)
}

struct Stat {
    ended: bool,
    parent: u32,
    ticks: f64,
}

/// A process as `proc(5)` describes it: after its name in parentheses come state, parent, and so on.
fn stat(id: u32) -> Option<Stat> {
    let text = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<f64>().ok();
    Some(Stat {
        ended: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)? + number(12)?,
    })
}
