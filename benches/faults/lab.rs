//! The engines of a matrix, started once.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// The variable that the lab prints last.
const LAST: &str = "SECKILL_LAB";

/// A set of engines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engines {
    Embedded,
    Mixed,
    RabbitMqAndRedis,
}

impl Engines {
    pub(crate) const ALL: [Self; 3] = [Self::Embedded, Self::Mixed, Self::RabbitMqAndRedis];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Mixed => "embedded queue, Redis",
            Self::RabbitMqAndRedis => "RabbitMQ, Redis",
        }
    }

    fn services(self) -> Option<&'static str> {
        match self {
            Self::Embedded => None,
            Self::Mixed => Some("redis"),
            Self::RabbitMqAndRedis => Some("redis,rabbitmq"),
        }
    }
}

/// Running engines, which are stopped when this is dropped.
pub(crate) struct Lab {
    pub(crate) engines: Engines,
    services: Option<Child>,
    variables: Vec<(String, String)>,
}

impl Lab {
    /// Starts the engines; `None`, with a message, if they are not installed.
    pub(crate) fn start(engines: Engines) -> Option<Self> {
        let Some(with) = engines.services() else {
            return Some(Self { engines, services: None, variables: Vec::new() });
        };
        let mut command = program();
        command.args(["lab", "--with", with]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut services = command.spawn().unwrap();
        let lines = BufReader::new(services.stdout.take().unwrap()).lines();
        let mut variables = Vec::new();
        for line in lines.map_while(Result::ok) {
            let variable = line.split_once('=').map(|(name, value)| (name.into(), value.into()));
            variables.extend(variable);
            if line.starts_with(LAST) {
                return Some(Self { engines, services: Some(services), variables });
            }
        }
        services.wait().unwrap();
        eprintln!("skipped {}: install redis-server and rabbitmq-server", engines.name());
        None
    }

    /// Whether these engines can have this fault.
    pub(crate) fn has(&self, fault: &str) -> bool {
        let part = |part: &str| fault.contains(&format!("what={part} "));
        let (queue, store) = match self.engines {
            Engines::Embedded => (false, false),
            Engines::Mixed => (false, true),
            Engines::RabbitMqAndRedis => (true, true),
        };
        (queue || !part("broker"))
            && (store || !part("store"))
            && (queue && store || !part("consumer"))
            && !(queue && store && part("disk"))
    }

    /// The program with the variables of these engines.
    pub(crate) fn program(&self) -> Command {
        let mut command = program();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let Some(mut services) = self.services.take() else { return };
        let pid = Pid::from_child(&services);
        kill_process(pid, Signal::INT).unwrap();
        services.wait().unwrap();
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_seckill"))
}
