//! One run: servers with a flaw, a sale, `seckill bench` as a load, and a fault if the flaw needs
//! one.

use std::fmt;
use std::path::PathBuf;
use std::process::{Child, Output};

use seckill::api::SaleStatus;
use seckill::lab::Redis;

use crate::support::backend::Backend;
use crate::support::child::seckill;
use crate::support::client::{PLENTY, Sale, TOKEN, get};
use crate::support::deployment::{Deployment, fragile_broker};
use crate::support::flaw_faults::{broker_killed, broker_suspended, consumer_dies, store_killed};
use crate::support::flaw_loads::{Fault, FlawLoad};

/// Queue and store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engines {
    /// Those of the server's own process.
    Embedded,
    /// RabbitMQ and Redis.
    Services,
}

impl fmt::Display for Engines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Embedded => "embedded",
            Self::Services => "services",
        })
    }
}

pub(crate) struct Trial {
    pub(crate) load: &'static FlawLoad,
    pub(crate) engines: Engines,
    /// Items on sale, of which one is loaded.
    pub(crate) items: u32,
    /// Folder for the files of the run.
    pub(crate) out: Option<PathBuf>,
}

impl Trial {
    /// Runs it.
    ///
    /// # Errors
    /// What the bench found, if not the flaw alone.
    pub(crate) fn run(&self) -> Result<(), String> {
        let flaw = Some(self.load.flaw);
        let begin = |url: &str| self.begin(url, &[]);
        let output = match self.load.fault {
            Fault::None => {
                let services = self.engines == Engines::Services;
                let deployment = Deployment::new(Backend::new(services, services), flaw);
                let server = deployment.serve("all", self.load.server);
                let (sale, bench) = begin(&server.url);
                end(sale, bench)
            }
            Fault::FewFiles => {
                let (mut broker, redis) = (fragile_broker(), Redis::start().unwrap());
                let deployment = Deployment::new(Backend::on(&broker, &redis), flaw);
                let server = deployment.serve("all", self.load.server);
                let metrics = ["--broker-metrics", &broker.prometheus_url()];
                let (sale, bench) = self.begin(&server.url, &metrics);
                let output = end(sale, bench);
                drop(server);
                // A broker that ran out of files works again only after a restart.
                broker.service_mut().restart().unwrap();
                output
            }
            Fault::StoreKilled => {
                let mut redis = Redis::start().unwrap();
                let backend = Backend::new(true, false).with_store(&redis);
                store_killed(&Deployment::new(backend, flaw), &mut redis, begin, end)
            }
            Fault::BrokerKilled => {
                let (mut broker, redis) = (fragile_broker(), Redis::start().unwrap());
                let deployment = Deployment::new(Backend::on(&broker, &redis), flaw);
                broker_killed(&deployment, &mut broker, begin, end)
            }
            Fault::BrokerSuspended => {
                let (mut broker, redis) = (fragile_broker(), Redis::start().unwrap());
                let deployment = Deployment::new(Backend::on(&broker, &redis), flaw);
                broker_suspended(&deployment, &mut broker, begin, end)
            }
            Fault::ConsumerDies => consumer_dies(Backend::new(true, true), flaw, begin, end),
        };
        self.load.check(&output)
    }

    /// Opens the sales, and starts a bench of the item that the server had from its start.
    fn begin(&self, url: &str, more: &[&str]) -> (Sale, Child) {
        let own: SaleStatus = serde_json::from_slice(&get(&format!("{url}/result"))).unwrap();
        for number in 1..self.items {
            Sale::open(url, &format!("other-{number}"), PLENTY);
        }
        // The flaw `check-then-act` knows only the stock of the sale that was opened last.
        let sale = Sale::open_for(url, &own.item, self.load.stock, self.load.per_buyer);
        let mut bench = seckill();
        bench.args(["bench", "--json", "--target", url, "--item", &sale.item]);
        bench.args(["--admin-token", TOKEN]).args(self.load.load).args(more);
        if let Some(out) = &self.out {
            bench.arg("--out").arg(out);
        }
        (sale, bench.spawn().unwrap())
    }
}

/// Waits for the end of the bench.
fn end(_: Sale, bench: Child) -> Output {
    bench.wait_with_output().unwrap()
}
