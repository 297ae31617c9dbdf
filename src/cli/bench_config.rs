//! Merges and checks the command line, the environment and the profile of `seckill bench`.

use clap::Parser;

use crate::bench::{Config, Thresholds};
use crate::ids::RequestId;
use crate::profile::{
    DATA_DEFAULT, MAX_THREADS_DEFAULT, Plan, Profile, ProfileError, ServeFlags, ServePlan,
    check_open_files,
};
use crate::sut::Sut;
use crate::units::Count;

use super::args::{BenchArgs, ServerFlags};
use super::report_files::{ReportFiles, ReportPaths};
use super::{Failure, limits};

/// The checked command line.
pub(super) struct BenchCommand {
    pub(super) config: Config,
    pub(super) output: Output,
    pub(super) reports: ReportFiles,
}

/// The format of the result on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// The report for people.
    Text,
    /// The result as JSON.
    Json,
    /// Only the verdict, after the thresholds that were crossed.
    Verdict,
}

impl Output {
    pub(super) fn new(json: bool, quiet: bool) -> Self {
        match (json, quiet) {
            (true, _) => Self::Json,
            (false, true) => Self::Verdict,
            (false, false) => Self::Text,
        }
    }
}

impl BenchCommand {
    pub(super) fn new(args: BenchArgs) -> Result<Self, Failure> {
        let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
        let profile = match &args.profile {
            Some(path) => Profile::read(path).map_err(|error| match error {
                error @ ProfileError::Io { .. } => Failure::Run(error.into()),
                error => usage(&error),
            })?,
            None => Profile::default(),
        };
        // The profile is checked on its own first, so that an error in it names its line.
        let sut = Sut::Seckill;
        Plan::new(&profile.bench, 0)
            .and_then(|_| Thresholds::check(&profile.bench, sut))
            .map_err(|error| usage(&profile.locate("", &error)))?;
        let room = limits::raise_file_limit();
        if args.profile.is_some() {
            ServePlan::of_profile(&profile.server, room)
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
            // A spawned server opens its own sale, even in a shared store.
            let is_shared = server.store.as_ref().is_some_and(|store| !store.is_embedded());
            let fresh_sale = is_shared.then_some(true);
            let server = server.or(ServeFlags { item, fresh_sale, ..ServeFlags::default() });
            let checked = ServePlan::new(&server, room);
            checked.map_err(|error| usage(&error))?;
            Some(server)
        } else if args.server.is_empty() {
            None
        } else {
            let message = "flags after -- are the spawned server's: add --spawn";
            return Err(Failure::Usage(message.into()));
        };
        let flag = if Plan::is_open(&flags) { "max-threads" } else { "threads" };
        check_open_files(flag, plan.connections(), room)?;
        let thresholds = Thresholds::new(&flags, sut)?;
        let output = Output::new(flags.json.unwrap_or(false), flags.quiet.unwrap_or(false));
        let (html, junit) = (flags.html.as_deref(), flags.junit.as_deref());
        let paths = ReportPaths { html, junit, summary: flags.summary.as_deref() };
        let reports = ReportFiles::open(paths, flags.jtl.as_deref(), flags.out.as_deref())?;
        let config = Config {
            plan,
            sut,
            spawn,
            target: flags.target,
            admin_token: flags.admin_token,
            data: DATA_DEFAULT.into(),
            broker_metrics: flags.broker_metrics,
            jtl: flags.jtl,
            out: flags.out,
            thresholds,
        };
        Ok(Self { config, output, reports })
    }
}

/// A random seed that is short enough to be typed again.
fn random_seed() -> u64 {
    u64::from(RequestId::random().0.as_fields().0)
}
