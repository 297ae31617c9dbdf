//! Merges and checks the command line, the environment and the profile of `seckill bench`.

use std::path::Path;

use crate::archive::{OutputError, foreign_report, is_same_folder};
use crate::bench::{BenchError, Config, Thresholds};
use crate::escape::printable;
use crate::ids::RequestId;
use crate::load;
use crate::profile::{
    BenchFlags, DATA_DEFAULT, FlagError, MAX_THREADS_DEFAULT, Plan, Profile, ProfileError,
    ServeFlags, ServePlan, check_open_files,
};
use crate::sut::Sut;
use crate::tls::Trust;
use crate::units::Count;

use super::advice::without_spawn;
use super::args::BenchArgs;
use super::parse::{not_for_spawned, parse_server};
use super::report_files::{ReportFiles, ReportPaths};
use super::shop::Shop;
use super::sources::Sources;
use super::{Failure, limits, say};

/// The checked command line.
pub(super) struct BenchCommand {
    pub(super) config: Config,
    pub(super) output: Output,
    /// The profile that was read; empty without one.
    pub(super) profile: Profile,
    /// The files of the reports.
    pub(super) reports: ReportFiles,
}

/// The format of the result on stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// The short report for people.
    Text,
    /// The full report for people.
    Full,
    /// The result as JSON.
    Json,
    /// Only the verdict, after the thresholds that were crossed.
    Verdict,
}

impl Output {
    pub(super) fn new(json: bool, quiet: bool, full: bool) -> Self {
        match (json, quiet, full) {
            (true, _, _) => Self::Json,
            (false, true, _) => Self::Verdict,
            (false, false, true) => Self::Full,
            (false, false, false) => Self::Text,
        }
    }

    fn of(flags: &BenchFlags) -> Self {
        let [json, quiet, full] =
            [flags.json, flags.quiet, flags.full].map(|flag| flag.unwrap_or(false));
        Self::new(json, quiet, full)
    }

    /// Whether stderr has no talk.
    pub(super) fn is_silent(self) -> bool {
        matches!(self, Self::Json | Self::Verdict)
    }
}

impl BenchCommand {
    pub(super) fn new(args: BenchArgs, sources: &Sources) -> Result<Self, Failure> {
        let room = limits::raise_file_limit()?;
        let profile = match &args.profile {
            Some(path) => read_profile(path, room, sources)?,
            None => Profile::default(),
        };
        let mut flags = args.flags.or(profile.bench.clone());
        if Plan::is_open(&flags) && flags.max_threads.is_none() {
            let each = Plan::connections_each(flags.double_click.unwrap_or_default());
            flags.max_threads = Some(Count(MAX_THREADS_DEFAULT.min(room / each).max(1)));
        }
        let explain = |error| Failure::Usage(sources.explain_with(&error, &profile, ""));
        let shop = Shop::of(&mut flags, args.profile.as_deref()).map_err(&explain)?;
        let mut plan = Plan::new(&flags, random_seed()).map_err(explain)?;
        let sut = shop.read(&flags, &mut plan, &explain)?;
        check_thresholds(&profile, &sut)?;
        if let Sut::Described(shop) = &sut {
            plan.expect_stock = plan.expect_stock.or(shop.stock().map(u64::from));
        }
        Plan::check_trust(&flags).map_err(explain)?;
        let kernel = || load::check_rings(load::workers(plan.threads));
        plan.io = Plan::choose_io(&flags, kernel).map_err(explain)?;
        check_folder(&flags).map_err(explain)?;
        let output = Output::of(&flags);
        let given = &args.server;
        let spawn = match (flags.spawn == Some(true), given.is_empty()) {
            (true, _) => Some(spawned(given, &profile, flags.item.clone(), room, &output)?),
            (false, true) => None,
            (false, false) => return Err(Failure::Usage(without_spawn(given))),
        };
        if plan.insecure {
            say("seckill: --insecure: the server's certificate is not checked, so anybody may be \
                 what answers");
        }
        let flag = if Plan::is_open(&flags) { "max-threads" } else { "threads" };
        check_open_files(flag, plan.connections(), room)?;
        let name = |flag: &str| sources.name(flag, &profile, "");
        let thresholds = Thresholds::new(&flags, &sut).map_err(|error| match error {
            BenchError::Flag(error) => explain(error),
            // It is the baseline that cannot be read.
            BenchError::Usage(error) => Failure::Usage(error),
            BenchError::Failed(error) => Failure::Run(error.context(name("baseline"))),
            BenchError::Interrupted => Failure::Interrupted,
        })?;
        let (html, junit) = (flags.html.as_deref(), flags.junit.as_deref());
        let paths = ReportPaths { html, junit, summary: flags.summary.as_deref() };
        let reports = ReportFiles::open(paths, flags.jtl.as_deref(), flags.out.as_deref(), &name)?;
        let config = Config {
            plan,
            has_fresh_ids: flags.seed.is_none(),
            sut,
            spawn,
            trust: trust(&flags),
            target: flags.target,
            admin_token: flags.admin_token,
            data: DATA_DEFAULT.into(),
            broker_metrics: flags.broker_metrics,
            jtl: flags.jtl,
            lab: flags.lab,
            out: flags.out,
            thresholds,
        };
        Ok(Self { config, output, profile, reports })
    }
}

/// Reads a profile, and checks it on its own, so that an error in it names its line.
fn read_profile(path: &Path, room: u64, sources: &Sources) -> Result<Profile, Failure> {
    let usage = |error: ProfileError| Failure::Usage(error.to_string());
    let profile = Profile::read(path).map_err(|error| match error {
        error @ ProfileError::Io { .. } => {
            let source = sources.name("profile", &Profile::default(), "");
            Failure::Run(anyhow::Error::new(error).context(source))
        }
        error => usage(error),
    })?;
    Plan::new(&profile.bench, 0).map_err(|error| usage(profile.locate("", &error)))?;
    ServePlan::of_profile(&profile.server, room)
        .map_err(|error| usage(profile.locate("server", &error)))?;
    Ok(profile)
}

/// Checks the thresholds of a profile on their own, so that an error in them names its line.
fn check_thresholds(profile: &Profile, sut: &Sut) -> Result<(), Failure> {
    Thresholds::check(&profile.bench, sut).map_err(|error| {
        let item = wrong_threshold(&profile.bench, sut);
        Failure::Usage(profile.locate_item("", &error, item).to_string())
    })
}

/// Which element of its list the first wrong threshold is, counted from 0.
fn wrong_threshold(flags: &BenchFlags, sut: &Sut) -> Option<usize> {
    let wrong = |list: &Option<Vec<String>>, one: fn(String) -> BenchFlags| {
        let mut list = list.iter().flatten();
        list.position(|text| Thresholds::check(&one(text.clone()), sut).is_err())
    };
    let fail_if = |text| BenchFlags { fail_if: Some(vec![text]), ..BenchFlags::default() };
    let abort_on = |text| BenchFlags { abort_on: Some(vec![text]), ..BenchFlags::default() };
    wrong(&flags.fail_if, fail_if).or_else(|| wrong(&flags.abort_on, abort_on))
}

/// The flags of the spawned server: those after `--`, then those of the profile.
fn spawned(
    given: &[String],
    profile: &Profile,
    item: Option<String>,
    room: u64,
    output: &Output,
) -> Result<ServeFlags, Failure> {
    if !output.is_silent() {
        not_for_spawned().iter().for_each(|name| {
            say(format_args!(
                "seckill: {name} in the environment does not reach the spawned server: give the \
                 flag after --"
            ));
        });
    }
    let (given, of_server) = parse_server(given).map_err(Failure::Arguments)?;
    let server = given.or(profile.server.clone());
    // A spawned server opens its own sale, even in a shared store.
    let is_shared = server.store.as_ref().is_some_and(|store| !store.is_embedded());
    let fresh_sale = is_shared.then_some(true);
    let server = server.or(ServeFlags { item, fresh_sale, ..ServeFlags::default() });
    let explain = |error| Failure::Usage(of_server.explain_with(&error, profile, "server"));
    ServePlan::new(&server, room).map_err(explain)?;
    Ok(server)
}

/// Why there is no run, with the source of the value that is wrong.
pub(super) fn failure(
    error: BenchError,
    config: &Config,
    sources: &Sources,
    profile: &Profile,
) -> Failure {
    match error {
        BenchError::Flag(error) => Failure::Usage(sources.explain_with(&error, profile, "")),
        BenchError::Usage(error) => Failure::Usage(error),
        BenchError::Failed(error) => Failure::Run(match output_of(&error, config) {
            Some(flag) => error.context(sources.name(flag, profile, "")),
            None => error,
        }),
        BenchError::Interrupted => {
            say("stopped before anything was sent: there is no report");
            Failure::Interrupted
        }
    }
}

/// Checks that the folder of `--out` holds nothing that a run may not replace.
fn check_folder(flags: &BenchFlags) -> Result<(), FlagError> {
    let Some(out) = &flags.out else { return Ok(()) };
    let wrong = |problem: String| Err(FlagError::new("out", problem));
    if flags.baseline.as_ref().is_some_and(|baseline| is_same_folder(baseline, out)) {
        return wrong("is the --baseline, which it would replace: name another folder".to_owned());
    }
    match foreign_report(out) {
        None => Ok(()),
        Some(file) => wrong(format!(
            "{} is there, and no recorded run: remove it, or name another folder",
            printable(&file.display().to_string())
        )),
    }
}

/// The flag of the output that cannot be opened, if that is the error.
fn output_of(error: &anyhow::Error, config: &Config) -> Option<&'static str> {
    let path = error.downcast_ref::<OutputError>()?.path();
    Some(if config.jtl.as_deref() == Some(path) { "jtl" } else { "out" })
}

/// The certificates that the flags trust.
pub(super) fn trust(flags: &BenchFlags) -> Trust {
    match (flags.insecure, flags.cacert.clone()) {
        (Some(true), _) => Trust::Anyone,
        (_, Some(path)) => Trust::File(path),
        (_, None) => Trust::System,
    }
}

/// A random seed that is short enough to be typed again.
pub(super) fn random_seed() -> u64 {
    u64::from(RequestId::random().0.as_fields().0)
}
