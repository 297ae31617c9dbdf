//! A throwaway RabbitMQ broker.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Resource, Signal, getrlimit};

use crate::secret::Secret;

use super::binary::{EPMD, RABBITMQ};
use super::error::LabError;
use super::recipe::Recipe;
use super::service::Service;

/// How long a start may take: 4 to 12 s on two cores, more on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// How long the answer to the AMQP protocol header may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// The limit of open files by default. At its start the VM's helper process closes every file
/// descriptor up to the limit, which is slow on a system that allows a thousand million.
const FILES_MAX: u64 = 65_536;

/// The smallest limit of open files by default. With less than about 110, a broker starts and then
/// cannot accept a connection.
const FILES_MIN: u64 = 256;

/// The file with the secret by which nodes and their tools know each other.
const COOKIE: &str = ".erlang.cookie";

/// One scheduler that sleeps when it is idle, and no port that is open to other machines.
const VM: &str = "-kernel inet_dist_use_interface {127,0,0,1} \
                  +S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none +A 8";

/// Settings of a broker; the default ones suit most tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RabbitMqOptions {
    /// Its soft limit of open files; each connection needs one. `None` means as many as the system
    /// allows, up to 65536.
    pub files: Option<u64>,
    /// More lines of `rabbitmq.conf`; they win over the default ones.
    pub config: String,
}

/// A broker with one vhost, `/`, and the user `guest` with the password `guest`.
#[derive(Debug)]
pub struct RabbitMq {
    service: Service,
    node: String,
    epmd_port: u16,
}

/// The ports that a broker listens on.
#[derive(Debug, Clone, Copy)]
struct Ports {
    amqp: u16,
    prometheus: u16,
    distribution: u16,
}

/// What a node of a cluster shares with the others.
#[derive(Debug, Clone)]
pub(super) struct Membership {
    /// Its own name, which the others know.
    pub(super) node: String,
    /// The port of the port mapper of all nodes.
    pub(super) epmd_port: u16,
    /// The secret by which nodes know each other.
    pub(super) cookie: Secret,
}

impl RabbitMq {
    /// Starts it and waits until it speaks AMQP and serves its metrics.
    pub fn start(options: RabbitMqOptions) -> Result<Self, LabError> {
        let service = Service::start("rabbitmq", recipe(options)?)?;
        let (node, epmd_port) = (node_name(service.ports()[0]), service.ports()[3]);
        Ok(Self { service, node, epmd_port })
    }

    /// Starts a node of a cluster, and waits in the same way. Its port mapper runs already.
    pub(super) fn start_node(
        options: &RabbitMqOptions,
        membership: &Membership,
    ) -> Result<Self, LabError> {
        let service = Service::start("rabbitmq", node_recipe(options, membership)?)?;
        let Membership { node, epmd_port, .. } = membership.clone();
        Ok(Self { service, node, epmd_port })
    }

    /// Its address: `amqp://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("amqp://127.0.0.1:{}", self.service.ports()[0])
    }

    /// The address of its metrics page: `http://127.0.0.1:PORT/metrics`.
    pub fn prometheus_url(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.service.ports()[1])
    }

    /// The name of its Erlang node.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// The port of the port mapper that knows its node.
    pub fn epmd_port(&self) -> u16 {
        self.epmd_port
    }

    /// Its process.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Its process, to suspend, kill or restart it.
    pub fn service_mut(&mut self) -> &mut Service {
        &mut self.service
    }
}

fn node_name(port: u16) -> String {
    format!("sk{port}@localhost")
}

/// A broker of its own, whose port mapper belongs to it.
fn recipe(
    options: RabbitMqOptions,
) -> Result<impl Fn(&Path, [u16; 4]) -> Result<Recipe, LabError>, LabError> {
    let (program, epmd) = (RABBITMQ.locate()?, EPMD.locate()?);
    let files = files(options.files)?;
    Ok(move |folder: &Path, numbers| {
        let [amqp, prometheus, distribution, epmd_port] = numbers;
        let ports = Ports { amqp, prometheus, distribution };
        let written = write_config(folder, ports, &options.config);
        written.map_err(LabError::io("rabbitmq", "write its configuration"))?;
        let script = format!("{}{}", limit(files), port_mapper(&epmd, epmd_port));
        let environment = environment(folder, ports, &node_name(amqp), epmd_port);
        Ok(broker(&program, &script, environment, &numbers))
    })
}

/// A node of a cluster.
fn node_recipe(
    options: &RabbitMqOptions,
    membership: &Membership,
) -> Result<impl Fn(&Path, [u16; 3]) -> Result<Recipe, LabError>, LabError> {
    let program = RABBITMQ.locate()?;
    let files = files(options.files)?;
    Ok(move |folder: &Path, numbers| {
        let [amqp, prometheus, distribution] = numbers;
        let Membership { node, epmd_port, cookie } = membership;
        let ports = Ports { amqp, prometheus, distribution };
        let written = write_config(folder, ports, &options.config)
            .and_then(|()| write_cookie(folder, cookie));
        written.map_err(LabError::io("rabbitmq", "write its configuration"))?;
        let environment = environment(folder, ports, node, *epmd_port);
        Ok(broker(&program, &limit(files), environment, &numbers))
    })
}

/// The script's `$0` is the broker, which it becomes.
fn broker(
    program: &Path,
    script: &str,
    environment: Vec<(&'static str, OsString)>,
    ports: &[u16],
) -> Recipe {
    Recipe {
        name: "rabbitmq",
        program: "/bin/sh".into(),
        args: vec!["-c".into(), format!("{script}exec \"$0\"").into(), program.into()],
        environment,
        ports: ports.to_vec(),
        data: &["mnesia"],
        is_ready,
        start_timeout: START_TIMEOUT,
        // An orderly shutdown takes seconds, and there is no data to save.
        stop: Signal::KILL,
    }
}

fn files(wanted: Option<u64>) -> Result<u64, LabError> {
    let limit = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
    match wanted {
        Some(wanted) if wanted > limit => Err(LabError::FilesLimit { wanted, limit }),
        Some(wanted) => Ok(wanted),
        None if limit < FILES_MIN => Err(LabError::FewFiles { needed: FILES_MIN, limit }),
        None => Ok(limit.min(FILES_MAX)),
    }
}

/// Sets the limit of open files.
fn limit(files: u64) -> String {
    format!("ulimit -Sn {files} || exit 1\n")
}

/// Starts the port mapper. It must be there before the broker: otherwise the broker would start one
/// that outlives it. It is in the broker's process group, and ends with it.
fn port_mapper(epmd: &Path, port: u16) -> String {
    let epmd = format!("'{}' -port {port}", epmd.display());
    format!(
        "{epmd} -address 127.0.0.1 &\n\
         until {epmd} -names >/dev/null 2>&1; do sleep 0.02; done\n"
    )
}

/// Writes the secret into the home of the node, where only its user may read it.
fn write_cookie(folder: &Path, cookie: &Secret) -> std::io::Result<()> {
    let mut file = File::options();
    let file = file.write(true).create_new(true).mode(0o400).open(folder.join(COOKIE));
    file?.write_all(cookie.0.as_bytes())
}

fn write_config(folder: &Path, ports: Ports, more: &str) -> std::io::Result<()> {
    let Ports { amqp, prometheus, .. } = ports;
    let config = format!(
        "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
         loopback_users = none\n\
         prometheus.tcp.ip = 127.0.0.1\n\
         prometheus.tcp.port = {prometheus}\n\
         log.file = false\n\
         log.console = true\n\
         vm_memory_high_watermark.absolute = 512MB\n\
         disk_free_limit.absolute = 50MB\n\
         {more}\n"
    );
    fs::write(folder.join("rabbitmq.conf"), config)?;
    fs::write(folder.join("advanced.config"), "[].\n")?;
    fs::write(folder.join("plugins"), "[rabbitmq_prometheus].\n")?;
    fs::write(folder.join("env.conf"), "")
}

fn environment(
    folder: &Path,
    ports: Ports,
    node: &str,
    epmd_port: u16,
) -> Vec<(&'static str, OsString)> {
    let mut environment = vec![
        ("HOME", folder.into()),
        ("ERL_EPMD_PORT", epmd_port.to_string().into()),
        ("ERL_EPMD_ADDRESS", "127.0.0.1".into()),
        ("RABBITMQ_NODENAME", node.into()),
        ("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1".into()),
        ("RABBITMQ_NODE_PORT", ports.amqp.to_string().into()),
        ("RABBITMQ_DIST_PORT", ports.distribution.to_string().into()),
        ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", VM.into()),
        // Makes the script replace itself with the broker, so that the child is the broker.
        ("RUNNING_UNDER_SYSTEMD", "true".into()),
        // No memory dump after a crash: the log has the cause.
        ("ERL_CRASH_DUMP_SECONDS", "0".into()),
    ];
    let files = [
        ("RABBITMQ_CONF_ENV_FILE", "env.conf"),
        ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        ("RABBITMQ_MNESIA_BASE", "mnesia"),
        ("RABBITMQ_LOG_BASE", "log"),
        ("RABBITMQ_PID_FILE", "pid"),
        ("RABBITMQ_FEATURE_FLAGS_FILE", "feature-flags"),
        ("RABBITMQ_GENERATED_CONFIG_DIR", "generated"),
    ];
    environment.extend(files.map(|(name, file)| (name, folder.join(file).into())));
    environment
}

/// Whether it answers the AMQP 0-9-1 header with a method frame. A broker that is still starting
/// closes the connection instead.
fn is_ready(port: u16) -> bool {
    let answer = || {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.write_all(b"AMQP\0\0\x09\x01")?;
        let mut first = [0];
        stream.read_exact(&mut first).map(|()| first)
    };
    matches!(answer(), Ok([1]))
}

#[cfg(test)]
mod tests {
    use super::super::service::tests::start_where_ports_are_taken;
    use super::*;

    #[test]
    fn starts_on_other_ports_if_one_is_taken() {
        match recipe(RabbitMqOptions::default()) {
            Ok(recipe) => start_where_ports_are_taken(recipe),
            Err(error) => println!("skipped: {error}"),
        }
    }
}
