//! The faults of a run: what of the tested system can break, and the proxies in its way.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::net::lookup_host;

use crate::faults::{Faults, Parts, Process, Proxies};
use crate::lab::{self, Order};
use crate::profile::{Action, Breaks, Fault, FlagError, Nemesis, Part, ProcessAction, ServeFlags};
use crate::secret::EngineUrl;
use crate::settings::Nodes;

use super::config::Config;
use super::error::BenchError;
use super::spawned::{Shape, Spawned};

/// The faults of a run, with what they need.
pub(super) struct Breakage {
    pub(super) faults: Faults,
    pub(super) parts: Parts,
    /// How the server is started.
    pub(super) shape: Shape,
    needs: Vec<Part>,
    proxies: Option<Proxies>,
}

impl Breakage {
    /// Checks the planned faults, and draws the random ones.
    pub(super) fn new(config: &Config) -> Result<Self, BenchError> {
        let mut faults = config.plan.faults.clone();
        if let (Some(seed), Some(over)) = (config.plan.nemesis, config.plan.duration) {
            let drawn = Nemesis { seed, from: config.plan.warmup, over }.draw(&breakable(config));
            if drawn.is_empty() {
                let problem = "the load is too short for a fault: give a longer --duration";
                return Err(BenchError::Flag(FlagError::new("nemesis", problem)));
            }
            faults.extend(drawn);
        }
        faults.iter().try_for_each(|fault| check(fault, config)).map_err(BenchError::Flag)?;
        let needs = |part| {
            let is_link = |fault: &&Fault| matches!(fault.does, Action::Link(_));
            faults.iter().filter(is_link).any(|fault| fault.what == part)
        };
        let restarts = |fault: &Fault| fault.what == Part::Disk || fault.kills_server();
        let shape = Shape {
            has_small_disk: faults.iter().any(|fault| fault.what == Part::Disk),
            has_consumer: faults.iter().any(|fault| fault.what == Part::Consumer),
            restarts: faults.iter().any(restarts),
        };
        let needs: Vec<_> = Part::ALL.into_iter().filter(|part| needs(*part)).collect();
        let proxies = (!needs.is_empty()).then(Proxies::start).transpose();
        let proxies = proxies.context("the thread of the proxies cannot be started")?;
        Ok(Self { faults: Faults::new(faults), parts: Parts::default(), shape, needs, proxies })
    }

    /// The flags of a server whose engines are reached through the proxies.
    pub(super) async fn through_proxies(
        &mut self,
        mut flags: ServeFlags,
    ) -> anyhow::Result<ServeFlags> {
        let engines = [(Part::Broker, &mut flags.queue), (Part::Store, &mut flags.store)];
        for (part, url) in engines {
            if let Some(url) = url.as_mut().filter(|_| self.needs.contains(&part)) {
                let mut through = Vec::new();
                for url in url.each_host() {
                    let host = url.host().context("an embedded engine has no host")?;
                    let mut addresses = lookup_host(&host).await.with_context(|| host.clone())?;
                    let address =
                        addresses.next().with_context(|| format!("{host}: no address"))?;
                    let proxy = self.proxy(part, address).await?;
                    through.push(proxy.unwrap_or(address).to_string());
                }
                *url = url.at(through.join(","));
            }
        }
        Ok(flags)
    }

    /// The processes that can break, once the server runs.
    pub(super) fn add_processes(&mut self, spawned: Option<&Spawned>, config: &Config) {
        let processes = &mut self.parts.processes;
        if let Some(spawned) = spawned {
            let server: Arc<dyn Process> = Arc::clone(&spawned.server) as _;
            processes.insert(Part::Server, Arc::clone(&server));
            processes.insert(Part::Disk, server);
            if let Some(consumer) = &spawned.consumer {
                processes.insert(Part::Consumer, Arc::clone(consumer) as _);
            }
        }
        for part in [Part::Broker, Part::Store] {
            if let Some(socket) = &config.lab {
                let process = LabProcess { socket: socket.clone(), part };
                processes.insert(part, Arc::new(process));
            }
        }
    }

    /// The address that the load connects to, in place of the server's.
    pub(super) async fn front(&mut self, server: SocketAddr) -> anyhow::Result<SocketAddr> {
        Ok(self.proxy(Part::Client, server).await?.unwrap_or(server))
    }

    /// A proxy to a part, if a fault needs one.
    async fn proxy(&mut self, part: Part, to: SocketAddr) -> anyhow::Result<Option<SocketAddr>> {
        let Some(proxies) = self.proxies.as_ref().filter(|_| self.needs.contains(&part)) else {
            return Ok(None);
        };
        let proxy = proxies.proxy(to).await.context("a proxy cannot be opened")?;
        let address = proxy.address();
        self.parts.proxies.entry(part).or_default().push(Arc::new(proxy));
        Ok(Some(address))
    }
}

/// A service of the lab in which the bench runs.
struct LabProcess {
    socket: std::path::PathBuf,
    part: Part,
}

impl LabProcess {
    fn order(&self, order: Order, nodes: Option<Nodes>) -> anyhow::Result<()> {
        let service = self.part.as_str();
        let nodes = nodes.map(|nodes| format!("/{}", nodes.as_str())).unwrap_or_default();
        lab::order(&self.socket, &format!("{service}{nodes}"), order)
    }
}

impl Process for LabProcess {
    fn begin(&self, action: ProcessAction, nodes: Option<Nodes>) -> anyhow::Result<()> {
        let order = match action {
            ProcessAction::Pause => Order::Suspend,
            ProcessAction::Kill => Order::Kill,
            ProcessAction::Wipe => Order::Wipe,
            ProcessAction::Full => bail!("the lab's disk is that of the machine"),
        };
        self.order(order, nodes)
    }

    fn end(&self, action: ProcessAction) -> anyhow::Result<()> {
        let order = match action {
            ProcessAction::Pause => Order::Resume,
            ProcessAction::Kill | ProcessAction::Wipe | ProcessAction::Full => Order::Restart,
        };
        self.order(order, None)
    }
}

/// The engine of a part of the server that is started, if it is no embedded one.
fn engine(part: Part, flags: &ServeFlags) -> Option<&EngineUrl> {
    let url = match part {
        Part::Broker => flags.queue.as_ref(),
        Part::Store => flags.store.as_ref(),
        Part::Client | Part::Server | Part::Consumer | Part::Disk => None,
    };
    url.filter(|url| !url.is_embedded())
}

/// What of the tested system random faults can break.
fn breakable(config: &Config) -> Vec<(Part, Breaks)> {
    let mut parts = vec![(Part::Client, Breaks::Connections)];
    let Some(flags) = &config.spawn else { return parts };
    parts.push((Part::Server, Breaks::Process));
    let engines = [Part::Broker, Part::Store].map(|part| (part, engine(part, flags)));
    for (part, url) in engines {
        if url.is_some() {
            if !url.is_some_and(EngineUrl::is_redis_cluster) {
                parts.push((part, Breaks::Connections));
            }
            parts.extend(config.lab.as_ref().map(|_| (part, Breaks::Process)));
        }
    }
    if engines.iter().all(|(_, url)| url.is_some()) {
        parts.push((Part::Consumer, Breaks::Process));
    }
    parts
}

/// An error if the tested system cannot have a fault.
fn check(fault: &Fault, config: &Config) -> Result<(), FlagError> {
    let wrong = |problem: &str| Err(FlagError::new("fault", format!("`{fault}` {problem}")));
    let (part, does) = (fault.what, fault.does);
    if part == Part::Client {
        return Ok(());
    }
    let Some(flags) = &config.spawn else {
        return wrong("is of the server's own parts: add --spawn, which starts the server");
    };
    match (part, engine(part, flags)) {
        (Part::Broker | Part::Store, None) => {
            let flag =
                if part == Part::Broker { "--queue amqp://…" } else { "--store redis://…" };
            wrong(&format!("needs a {} that is not embedded: add -- {flag}", part.as_str()))
        }
        (_, Some(url))
            if matches!(does, Action::Link(_)) && ["amqps", "rediss"].contains(&url.scheme()) =>
        {
            wrong("would break TLS, which names the host: use an address without TLS")
        }
        (_, Some(url)) if matches!(does, Action::Link(_)) && url.is_redis_cluster() => wrong(
            "cannot be: the server learns the addresses of the nodes from the cluster, and would \
             go past the proxies: use do=kill or do=pause, or a single Redis",
        ),
        (Part::Broker | Part::Store, url) => match (does, &config.lab) {
            _ if fault.nodes.is_some() && url.is_none_or(|url| url.hosts().len() < 2) => wrong(
                "names a node of a cluster: run it in \
                 'seckill lab --with redis,rabbitmq-cluster --'",
            ),
            (Action::Process(_), None) => {
                wrong("needs a service that seckill has started: run it in 'seckill lab --'")
            }
            _ => Ok(()),
        },
        (Part::Consumer, _)
            if [Part::Broker, Part::Store].iter().any(|part| engine(*part, flags).is_none()) =>
        {
            wrong("needs a process of its own: add -- --queue amqp://… --store redis://…")
        }
        (Part::Disk, _) if flags.data.is_some() => {
            wrong("fills a small disk of the run's own: leave out --data")
        }
        (Part::Server, _)
            if does == Action::Process(ProcessAction::Wipe) && flags.data.is_some() =>
        {
            wrong(
                "deletes the server's data folder, which has to be the run's own: leave out --data",
            )
        }
        (Part::Disk, _)
            if [Part::Broker, Part::Store].iter().all(|part| engine(*part, flags).is_some()) =>
        {
            wrong("needs an embedded queue or store, which writes to the disk")
        }
        _ => Ok(()),
    }
}
