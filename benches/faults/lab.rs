//! The engines of a matrix, started once.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};

/// The variable that the lab prints last.
const LAST: &str = "SECKILL_LAB";

/// A set of engines.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engines {
    /// Embedded queue and store
    Embedded,
    /// Embedded queue, and Redis
    Mixed,
    /// RabbitMQ and Redis
    #[value(name = "rabbitmq-and-redis")]
    RabbitMqAndRedis,
    /// A RabbitMQ cluster and a Redis Cluster
    Clusters,
}

impl Engines {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Mixed => "embedded queue, Redis",
            Self::RabbitMqAndRedis => "RabbitMQ, Redis",
            Self::Clusters => "RabbitMQ cluster, Redis Cluster",
        }
    }

    fn services(self) -> Option<&'static str> {
        match self {
            Self::Embedded => None,
            Self::Mixed => Some("redis"),
            Self::RabbitMqAndRedis => Some("redis,rabbitmq"),
            Self::Clusters => Some("redis-cluster,rabbitmq-cluster"),
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
            Engines::RabbitMqAndRedis | Engines::Clusters => (true, true),
        };
        // On a cluster, connections to the store cannot break, and a fault of the broker's process
        // names its node: without a name it would be that of the leader.
        let is_of_nodes = match self.engines {
            Engines::Clusters => match part("store") {
                true => ["do=pause", "do=kill"].iter().any(|does| fault.ends_with(does)),
                false => !["what=broker do=pause", "what=broker do=kill"].contains(&fault),
            },
            _ => !fault.contains(" node="),
        };
        (queue || !part("broker"))
            && (store || !part("store"))
            && (queue && store || !part("consumer"))
            && !(queue && store && part("disk"))
            && is_of_nodes
    }

    /// The length of a load with this fault, which is over early enough to see what comes after it.
    pub(crate) fn length(&self, fault: &str) -> &'static str {
        match self.engines {
            // All nodes start, the first one before the others, and form a cluster.
            Engines::Clusters if fault.contains("do=wipe") => "45s",
            // The node starts and joins the others.
            Engines::Clusters if fault.contains("what=broker do=kill") => "30s",
            // Others take over, and the node follows them.
            Engines::Clusters if fault.contains("node=") || fault.contains("what=store") => "20s",
            // RabbitMQ takes some ten seconds to start.
            _ if ["what=broker do=kill", "what=broker do=wipe"].contains(&fault) => "20s",
            _ => "6s",
        }
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
