//! `seckill lab`: throwaway services for one command, or until a signal.

use std::io;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Instant;

use anyhow::Context;

use crate::lab::{
    Broker, ControlSocket, LabError, Nginx, Order, RabbitMq, RabbitMqCluster, RabbitMqOptions,
    Redis, RedisCluster, check_installed,
};
use crate::profile::{FlagError, Part, env_name};
use crate::settings::Nodes;
use crate::store::ROUTING_KEY;
use crate::units::Count;

use super::args::{Engine, LabArgs};
use super::lab_command::LabCommand;
use super::signals::Signals;
use super::sources::Sources;
use super::{Failure, print, say};

/// The ports over which nginx balances: those of two `seckill serve`, which the user starts.
const BEHIND_NGINX: [u16; 2] = [7001, 7002];

/// Replicas of each primary of a Redis Cluster: when one has taken over after a failure, the store
/// still needs another one.
const CLUSTER_REPLICAS: usize = 2;

/// With this many open files RabbitMQ 3.10 starts, and with 96 it does not.
const BROKER_FILES_MIN: u64 = 128;

pub(super) fn lab(args: LabArgs, sources: &Sources) -> Result<u8, Failure> {
    let LabArgs { with, broker_files, command } = args;
    let brokers = [Engine::Rabbitmq, Engine::RabbitmqCluster].map(|engine| with.contains(&engine));
    if brokers == [true, true] {
        let cure = "--with: rabbitmq and rabbitmq-cluster are both the queue: leave one out";
        return Err(Failure::Usage(cure.to_owned()));
    }
    if broker_files.is_some() && brokers == [false, false] {
        let cure = "--broker-files limits RabbitMQ, which --with leaves out: add `rabbitmq`";
        return Err(Failure::Usage(cure.to_owned()));
    }
    if [Engine::Redis, Engine::RedisCluster].iter().all(|engine| with.contains(engine)) {
        let cure = "--with: redis and redis-cluster are both the store: leave one out";
        return Err(Failure::Usage(cure.to_owned()));
    }
    if let Some(Count(files)) = broker_files.filter(|Count(files)| *files < BROKER_FILES_MIN) {
        let problem = format!(
            "RabbitMQ does not start with {files} open files: give at least {BROKER_FILES_MIN}"
        );
        let error = FlagError::new("broker-files", problem);
        return Err(Failure::Usage(sources.explain(&error)));
    }
    let command = command.split_first().map(|(program, args)| LabCommand::new(program, args));
    let command = command.transpose()?;
    with.iter().try_for_each(|engine| check_installed(engine.binary()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let done = runtime.block_on(run(with, broker_files, command));
    // An interrupted start is not waited for: the reapers end the services that it has started.
    runtime.shutdown_background();
    done
}

impl Engine {
    fn binary(self) -> &'static str {
        match self {
            Self::Redis | Self::RedisCluster => "redis-server",
            Self::Rabbitmq => "rabbitmq-server",
            Self::RabbitmqCluster => "rabbitmq-cluster",
            Self::Nginx => "nginx",
        }
    }
}

/// The running services, which stop when this is dropped.
#[derive(Default)]
struct Services {
    redis: Option<Arc<Mutex<Redis>>>,
    redis_cluster: Option<Arc<Mutex<RedisCluster>>>,
    rabbitmq: Option<Arc<Mutex<Broker>>>,
    nginx: Option<Nginx>,
}

/// The services to which the command may give orders. It does not keep them alive.
struct Ordered {
    redis: Weak<Mutex<Redis>>,
    redis_cluster: Weak<Mutex<RedisCluster>>,
    rabbitmq: Weak<Mutex<Broker>>,
}

impl Services {
    /// Starts the services concurrently.
    fn start(with: &[Engine], broker_files: Option<Count>) -> Result<Self, LabError> {
        let options =
            RabbitMqOptions { files: broker_files.map(|Count(files)| files), ..Default::default() };
        let started_at = Instant::now();
        let ready = |what: &str, url: String, pids: &[u32]| {
            let seconds = started_at.elapsed().as_secs_f64();
            let processes: Vec<_> = pids.iter().map(|pid| format!("process {pid}")).collect();
            let processes = processes.join(", ");
            say(format!("lab: {what} is {url}, {processes}, after {seconds:.1} s"));
        };
        let all_ready = |cluster: &RedisCluster| {
            let seconds = started_at.elapsed().as_secs_f64();
            let pids = cluster.nodes().iter().map(|node| node.pid().to_string());
            let (url, pids) = (cluster.url(), pids.collect::<Vec<_>>().join(" "));
            say(format!("lab: redis-cluster is {url}, processes {pids}, after {seconds:.1} s"));
        };
        thread::scope(|scope| {
            let redis = with.contains(&Engine::Redis).then(|| {
                let start =
                    || Redis::start().inspect(|r| ready("redis", r.url(), &[r.service().pid()]));
                scope.spawn(start)
            });
            let cluster = with
                .contains(&Engine::RedisCluster)
                .then(|| scope.spawn(|| RedisCluster::start(CLUSTER_REPLICAS).inspect(all_ready)));
            let brokers = [Engine::Rabbitmq, Engine::RabbitmqCluster];
            let rabbitmq = brokers.into_iter().find(|engine| with.contains(engine)).map(|engine| {
                let start = move || {
                    let started = match engine {
                        Engine::RabbitmqCluster => {
                            RabbitMqCluster::start(&options).map(Broker::Cluster)
                        }
                        _ => RabbitMq::start(options).map(Broker::One),
                    };
                    started.inspect(|r| ready(r.name(), r.url(), &r.pids()))
                };
                scope.spawn(start)
            });
            let nginx = with.contains(&Engine::Nginx).then(|| {
                let started = Nginx::start(&Nginx::balancer(&BEHIND_NGINX));
                started.inspect(|n| ready("nginx", n.url(), &[n.service().pid()]))
            });
            Ok(Self {
                redis: redis.map(joined).transpose()?,
                redis_cluster: cluster.map(joined).transpose()?,
                rabbitmq: rabbitmq.map(joined).transpose()?,
                nginx: nginx.transpose()?,
            })
        })
    }

    /// The environment variables with which the command finds them.
    fn variables(&self) -> Vec<(String, String)> {
        let Self { redis, redis_cluster, rabbitmq, nginx } = self;
        let rabbitmq = rabbitmq.as_ref().map(|rabbitmq| locked(rabbitmq));
        let is_cluster = rabbitmq.as_ref().is_some_and(|rabbitmq| rabbitmq.is_cluster());
        let flags = [
            ("queue", rabbitmq.as_ref().map(|rabbitmq| rabbitmq.url())),
            ("broker-metrics", rabbitmq.as_ref().and_then(|rabbitmq| rabbitmq.prometheus_url())),
            ("queue-type", is_cluster.then(|| "quorum".to_owned())),
            ("store", redis.as_ref().map(|redis| locked(redis).url())),
            ("store", redis_cluster.as_ref().map(|cluster| locked(cluster).url())),
            ("target", nginx.as_ref().map(Nginx::url)),
        ];
        flags.into_iter().filter_map(|(flag, url)| Some((env_name(flag), url?))).collect()
    }

    /// The socket on which the command may suspend, kill and restart them.
    fn socket(&self) -> io::Result<ControlSocket> {
        let ordered = Ordered {
            redis: self.redis.as_ref().map(Arc::downgrade).unwrap_or_default(),
            redis_cluster: self.redis_cluster.as_ref().map(Arc::downgrade).unwrap_or_default(),
            rabbitmq: self.rabbitmq.as_ref().map(Arc::downgrade).unwrap_or_default(),
        };
        ControlSocket::open(Arc::new(move |part: &str, order| ordered.carry_out(part, order)))
    }
}

impl Ordered {
    fn carry_out(&self, part: &str, order: Order) -> anyhow::Result<()> {
        let (part, nodes) = match part.split_once('/') {
            Some((part, word)) => {
                let nodes = Nodes::ALL.into_iter().find(|nodes| nodes.as_str() == word);
                (part, nodes.context("no such node")?)
            }
            None => (part, Nodes::default()),
        };
        let part = Part::ALL.into_iter().find(|known| known.as_str() == part);
        let done = match part {
            Some(Part::Store) => {
                let redis = self.redis.upgrade();
                let single = redis.map(|redis| order.carry_out(locked(&redis).service_mut()));
                // Of a cluster, the node that the store depends on.
                let carry_out = |cluster: Arc<Mutex<RedisCluster>>| {
                    locked(&cluster).carry_out(order, ROUTING_KEY)
                };
                single.or_else(|| self.redis_cluster.upgrade().map(carry_out))
            }
            Some(Part::Broker) => {
                let rabbitmq = self.rabbitmq.upgrade();
                rabbitmq.map(|rabbitmq| locked(&rabbitmq).carry_out(order, nodes))
            }
            _ => None,
        };
        Ok(done.context("the lab has no such service: add it to --with")??)
    }
}

/// The service that a thread has started.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T, LabError>>) -> Started<T> {
    let started = thread.join().unwrap_or_else(|why| resume_unwind(why));
    started.map(|service| Arc::new(Mutex::new(service)))
}

/// A service that others give orders to, or why it could not be started.
type Started<T> = Result<Arc<Mutex<T>>, LabError>;

/// A service whose thread panicked is used all the same: it is only to be stopped.
fn locked<T>(service: &Mutex<T>) -> MutexGuard<'_, T> {
    service.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn run(
    with: Vec<Engine>,
    broker_files: Option<Count>,
    command: Option<LabCommand>,
) -> Result<u8, Failure> {
    let mut signals = Signals::take()?;
    let names: Vec<_> = with.iter().map(|engine| engine.binary()).collect();
    say(format!("lab: starting {}", names.join(", ")));
    let start = tokio::task::spawn_blocking(move || Services::start(&with, broker_files));
    let services = tokio::select! {
        started = start => started.context("the services could not be started")??,
        () = signals.next() => return Err(Failure::Interrupted),
    };
    let socket = services.socket().context("the services' socket cannot be opened")?;
    let mut variables = services.variables();
    variables.push((env_name("lab"), socket.path().display().to_string()));
    match command {
        Some(command) => command.run(&variables, &mut signals).await,
        None => {
            let line = |(name, value): &(String, String)| format!("{name}={value}\n");
            print(&variables.iter().map(line).collect::<String>())?;
            say("lab: Ctrl-C stops them");
            signals.next().await;
            Ok(0)
        }
    }
}
