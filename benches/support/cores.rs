//! The cores of the server and of the generator.

use std::process::{Child, Command};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// One core for each side, so that neither takes CPU from the other.
#[derive(Clone, Copy)]
pub(crate) struct Cores {
    server: usize,
    generator: usize,
}

impl Cores {
    /// Selects the first and the last core that this process may use. The process itself stays on
    /// the first one, so that the generator has its core to itself.
    pub(crate) fn take() -> Self {
        let may_use = sched_getaffinity(None).unwrap();
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| may_use.is_set(*core));
        let server = cores.next().unwrap();
        let cores = Self { server, generator: cores.next_back().unwrap_or(server) };
        stay_on(&[cores.server]);
        cores
    }

    /// Whether there is only one core.
    pub(crate) fn are_one(self) -> bool {
        self.server == self.generator
    }

    /// Moves this thread, and the processes that it starts from now on, to the server's core.
    pub(crate) fn move_to_server(self) {
        stay_on(&[self.server]);
    }

    /// Moves this thread, and those that it starts from now on, to the generator's core.
    pub(crate) fn move_to_generator(self) {
        stay_on(&[self.generator]);
    }

    /// Moves this thread, and the processes that it starts from now on, to both cores.
    pub(crate) fn use_both(self) {
        stay_on(&[self.server, self.generator]);
    }

    /// Starts a generator on its core.
    pub(crate) fn start_generator(self, command: &mut Command) -> Child {
        stay_on(&[self.generator]);
        let child = command.spawn();
        stay_on(&[self.server]);
        child.unwrap()
    }
}

fn stay_on(cores: &[usize]) {
    let mut only = CpuSet::new();
    cores.iter().for_each(|core| only.set(*core));
    sched_setaffinity(None, &only).unwrap();
}
