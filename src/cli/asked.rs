//! The command line of `seckill bench`, with profile and environment, checked.

use std::path::PathBuf;

use clap::Parser;

use crate::ids::RequestId;
use crate::profile::{MAX_THREADS_DEFAULT, Plan, Profile, ProfileError, ServeFlags};
use crate::secret::Secret;
use crate::units::Count;

use super::args::{BenchArgs, ServerFlags};
use super::{Failure, engines, limits, serve};

/// What was asked for, checked.
pub(super) struct Asked {
    pub(super) plan: Plan,
    /// The server to start, if one is.
    pub(super) spawn: Option<ServeFlags>,
    pub(super) target: Option<String>,
    pub(super) admin_token: Option<Secret>,
    pub(super) broker_metrics: Option<String>,
    pub(super) jtl: Option<PathBuf>,
    pub(super) out: Option<PathBuf>,
    pub(super) json: bool,
    pub(super) quiet: bool,
}

impl Asked {
    pub(super) fn new(args: BenchArgs) -> Result<Self, Failure> {
        let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
        let profile = match &args.profile {
            Some(path) => Profile::read(path).map_err(|error| match error {
                error @ ProfileError::Io { .. } => Failure::Run(error.into()),
                error => usage(&error),
            })?,
            None => Profile::default(),
        };
        // On its own first, so that what is wrong in it is told with its line.
        Plan::new(&profile.bench, 0).map_err(|error| usage(&profile.locate("", &error)))?;
        let room = limits::raise_file_limit();
        if args.profile.is_some() {
            serve::config(&profile.server, room)
                .map_err(|error| usage(&profile.locate("server", &error)))?;
        }
        let mut flags = args.flags.or(profile.bench);
        if Plan::is_open(&flags) && flags.max_threads.is_none() {
            let each = Plan::connections_each(flags.double_click.unwrap_or_default());
            flags.max_threads = Some(Count(MAX_THREADS_DEFAULT.min(room / each).max(1)));
        }
        let plan = Plan::new(&flags, random_seed()).map_err(|error| usage(&error))?;
        let spawn = if flags.spawn == Some(true) {
            let given = ServerFlags::try_parse_from(&args.server).unwrap_or_else(|e| e.exit());
            let item = flags.item.clone();
            let server = given.flags.or(profile.server);
            // A server of the bench's own has a sale of its own, in a shared store too.
            let is_shared = server.store.as_ref().is_some_and(|store| !store.is_embedded());
            let fresh_sale = is_shared.then_some(true);
            let server = server.or(ServeFlags { item, fresh_sale, ..ServeFlags::default() });
            engines::check(&server)
                .and_then(|()| serve::config(&server, room).map(drop))
                .map_err(|error| usage(&error))?;
            Some(server)
        } else if args.server.is_empty() {
            None
        } else {
            let message = "flags after -- are the spawned server's: add --spawn";
            return Err(Failure::Usage(message.into()));
        };
        let flag = if Plan::is_open(&flags) { "max-threads" } else { "threads" };
        limits::check(flag, plan.connections(), room)?;
        Ok(Self {
            plan,
            spawn,
            target: flags.target,
            admin_token: flags.admin_token,
            broker_metrics: flags.broker_metrics,
            jtl: flags.jtl,
            out: flags.out,
            json: flags.json.unwrap_or(false),
            quiet: flags.quiet.unwrap_or(false),
        })
    }
}

/// A seed that is short enough to be typed again.
fn random_seed() -> u64 {
    u64::from(RequestId::random().0.as_fields().0)
}
