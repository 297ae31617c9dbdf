//! A throwaway nginx.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Signal, geteuid};

use super::binary::NGINX;
use super::error::LabError;
use super::recipe::{Recipe, accepts_connections};
use super::service::Service;

/// How long a start may take: mostly 30 ms.
const START_TIMEOUT: Duration = Duration::from_secs(15);

/// The lab runs the configuration that users deploy.
const FRAME: &str = include_str!("../../deploy/nginx.conf");
const SITE: &str = include_str!("../../deploy/seckill.conf");

/// An nginx that runs in the foreground.
#[derive(Debug)]
pub struct Nginx {
    service: Service,
}

impl Nginx {
    /// Starts it and waits until it listens. In the configuration, `{folder}` stands for its
    /// folder and `{port}` for the port that it must listen on at 127.0.0.1.
    ///
    /// `daemon`, `pid`, `user` and the error log are set already. The configuration should set
    /// `access_log` and each `…_temp_path` that it uses, whose defaults are outside the folder;
    /// `deploy/nginx.conf` shows how.
    pub fn start(config: &str) -> Result<Self, LabError> {
        Ok(Self { service: Service::start("nginx", recipe(NGINX.locate()?, config))? })
    }

    /// The configuration of a load balancer over servers on these ports of 127.0.0.1. It is that of
    /// `deploy/` without its comments, with the ports and the folder of the lab.
    pub fn balancer(ports: &[u16]) -> String {
        let frame = FRAME.lines().flat_map(|line| match line.trim() {
            // `start` sets these.
            "daemon off;" | "pid nginx.pid;" => Vec::new(),
            "include seckill.conf;" => SITE.lines().collect(),
            _ => vec![line],
        });
        let lines = frame.flat_map(|line| {
            let directive = line.trim_start();
            if directive.is_empty() || directive.starts_with('#') {
                Vec::new()
            } else if directive.starts_with("server 127.0.0.1:7001 ") {
                ports.iter().map(|port| line.replace("7001", &port.to_string())).collect()
            } else if directive.starts_with("server 127.0.0.1:7002 ") {
                Vec::new()
            } else {
                vec![line.replace("127.0.0.1:8080", "127.0.0.1:{port}")]
            }
        });
        lines.map(|line| line + "\n").collect()
    }

    /// Its address: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.service.ports()[0])
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

fn recipe(program: PathBuf, config: &str) -> impl Fn(&Path, [u16; 1]) -> Result<Recipe, LabError> {
    move |folder, [port]| {
        let path = folder.display().to_string();
        let config = config.replace("{folder}", &path).replace("{port}", &port.to_string());
        let written = fs::write(folder.join("nginx.conf"), config);
        written.map_err(LabError::io("nginx", "write its configuration"))?;
        // By default, root's nginx runs its workers as a user who may not enter the folder.
        let user = if geteuid().is_root() { " user root;" } else { "" };
        let global = format!("daemon off; pid \"{path}/nginx.pid\";{user}");
        let file = format!("{path}/nginx.conf");
        let args = ["-p", &path, "-e", "stderr", "-c", &file, "-g", &global];
        Ok(Recipe {
            name: "nginx",
            program: program.clone(),
            args: args.into_iter().map(Into::into).collect(),
            environment: vec![("HOME", folder.into())],
            ports: vec![port],
            data: &[],
            is_ready: accepts_connections,
            start_timeout: START_TIMEOUT,
            stop: Signal::QUIT,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::service::tests::start_where_ports_are_taken;
    use super::*;

    #[test]
    fn the_balancer_is_the_deployed_configuration_with_other_ports() {
        let config = Nginx::balancer(&[5, 6]);
        let servers: Vec<_> =
            config.lines().filter(|line| line.trim_start().starts_with("server 127")).collect();
        // Two for attempts, and two for tickets.
        assert_eq!(servers.len(), 4, "{config}");
        for pair in servers.chunks(2) {
            assert!(pair[0].contains("127.0.0.1:5 ") && pair[1].contains("127.0.0.1:6 "));
        }
        assert!(config.contains("listen 127.0.0.1:{port} "), "{config}");
        for foreign in ["7001", "7002", "8080", "daemon", "pid ", "include", "#"] {
            assert!(!config.contains(foreign), "{foreign}: {config}");
        }
    }

    #[test]
    fn starts_on_other_ports_if_one_is_taken() {
        match NGINX.locate() {
            Ok(program) => start_where_ports_are_taken(recipe(program, &Nginx::balancer(&[1]))),
            Err(error) => println!("skipped: {error}"),
        }
    }
}
