//! The CPU time that processes have spent, in microseconds.

/// Of all threads of a process. The system counts it to the nanosecond only by thread.
pub(crate) fn spent_us(pid: i32) -> f64 {
    if pid == std::process::id() as i32 {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        return spent.tv_sec as f64 * 1e6 + spent.tv_nsec as f64 / 1e3;
    }
    let of_thread = |folder: std::fs::DirEntry| {
        let schedstat = std::fs::read_to_string(folder.path().join("schedstat")).unwrap();
        schedstat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e3
    };
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    threads.map(|folder| of_thread(folder.unwrap())).sum()
}
