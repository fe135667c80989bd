//! The memory that processes take, as `/proc` tells it, in whole MiB.

/// The most that a process has had at once; 0 if there is none.
pub(super) fn peak_mib(pid: u32) -> f64 {
    mib(pid, "VmHWM:")
}

/// What a process has now; 0 if there is none.
pub(super) fn now_mib(pid: u32) -> f64 {
    mib(pid, "VmRSS:")
}

fn mib(pid: u32, field: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.map_or(0.0, |kib| (kib / 1_024.0).round())
}
