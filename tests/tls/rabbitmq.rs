//! A RabbitMQ for one test that accepts AMQP over TLS only.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use seckill::lab::free_port;

use super::authority::Issued;
use super::services::listening;

/// One scheduler without busy waiting, on the loopback interface.
const ERLANG_ARGS: &str = "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none \
                           +sbwtdcpu none +sbwtdio none +A 8";

/// A running broker; killed when dropped.
pub(crate) struct RabbitMq {
    broker: Child,
    /// Its port mapper.
    epmd: Child,
    pub(crate) port: u16,
}

impl RabbitMq {
    /// Starts a broker in this folder, which takes seconds.
    pub(crate) fn start(issued: &Issued, ca: &Path, folder: &Path) -> Self {
        let epmd_port = free_port().unwrap();
        let mut epmd = Command::new("epmd");
        epmd.args(["-address", "127.0.0.1", "-port", &epmd_port.to_string()]);
        let mut epmd = epmd.stderr(Stdio::null()).spawn().unwrap();
        listening(&mut epmd, epmd_port);
        let port = free_port().unwrap();
        configure(issued, ca, folder, port);
        let mut broker = command(folder, epmd_port, port).spawn().unwrap();
        listening(&mut broker, port);
        Self { broker, epmd, port }
    }
}

fn configure(issued: &Issued, ca: &Path, folder: &Path, port: u16) {
    let lines = [
        "listeners.tcp = none".to_owned(),
        format!("listeners.ssl.1 = 127.0.0.1:{port}"),
        format!("ssl_options.cacertfile = {}", ca.display()),
        format!("ssl_options.certfile = {}", issued.certificate.display()),
        format!("ssl_options.keyfile = {}", issued.key.display()),
        "ssl_options.verify = verify_none".to_owned(),
        "ssl_options.fail_if_no_peer_cert = false".to_owned(),
        "log.console = false".to_owned(),
        "vm_memory_high_watermark.absolute = 512MB".to_owned(),
        "disk_free_limit.absolute = 50MB".to_owned(),
    ];
    fs::write(folder.join("rabbitmq.conf"), lines.join("\n") + "\n").unwrap();
    fs::write(folder.join("plugins"), "[].\n").unwrap();
    fs::write(folder.join("env.conf"), "").unwrap();
}

/// All its files are in the folder, so that it reads and leaves nothing elsewhere.
fn command(folder: &Path, epmd_port: u16, port: u16) -> Command {
    let mut command = Command::new("/usr/lib/rabbitmq/bin/rabbitmq-server");
    for (name, value) in [
        ("HOME", ""),
        ("RABBITMQ_CONF_ENV_FILE", "env.conf"),
        ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
        ("RABBITMQ_ADVANCED_CONFIG_FILE", "advanced.config"),
        ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        ("RABBITMQ_MNESIA_BASE", "mnesia"),
        ("RABBITMQ_LOG_BASE", "log"),
        ("RABBITMQ_PID_FILE", "pid"),
        ("RABBITMQ_FEATURE_FLAGS_FILE", "feature-flags"),
        ("RABBITMQ_GENERATED_CONFIG_DIR", "config"),
    ] {
        command.env(name, folder.join(value));
    }
    command
        .env("ERL_EPMD_PORT", epmd_port.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODENAME", format!("tls{port}@localhost"))
        .env("RABBITMQ_DIST_PORT", free_port().unwrap().to_string())
        // Makes the broker itself the child process, without a shell around it.
        .env("RUNNING_UNDER_SYSTEMD", "true")
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", ERLANG_ARGS)
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

impl Drop for RabbitMq {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.broker.id()).unwrap()).unwrap();
        let _ = kill_process_group(group, Signal::KILL);
        let _ = self.broker.wait();
        let _ = self.epmd.kill();
        let _ = self.epmd.wait();
    }
}
