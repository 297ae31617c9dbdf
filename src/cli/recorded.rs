//! `seckill audit DIR` and `seckill report DIR…`: judge and print recorded runs.

use crate::archive::{Recording, Run};
use crate::escape::printable;
use crate::report::{RUNS_MAX, Titled};

use super::Failure;
use super::args::{Colour, PrintArgs, RecordedArgs, ReportArgs};
use super::bench::print_run;
use super::bench_config::Output;
use super::console::print;
use super::report_files::{ReportFiles, ReportPaths};

/// Judges a recorded run again; the exit code is that of the new verdict.
pub(super) fn audit(args: &RecordedArgs, colour: Colour) -> Result<u8, Failure> {
    let run = Recording::open(&args.dir)?.audit()?;
    print_run(&run, output(&args.print), colour)?;
    Ok(run.exit_code())
}

/// Prints recorded runs again, as they were judged then, or writes their reports.
pub(super) fn report(args: &ReportArgs, colour: Colour) -> Result<u8, Failure> {
    if args.html.is_some() && args.dirs.len() > RUNS_MAX {
        let given = args.dirs.len();
        let message = format!("--html: {given} runs are over {RUNS_MAX} in a page: name fewer");
        return Err(Failure::Usage(message));
    }
    let recordings: Vec<_> =
        args.dirs.iter().map(|dir| Recording::open(dir)).collect::<Result<_, _>>()?;
    let runs: Vec<&Run> = recordings.iter().map(Recording::run).collect();
    let (html, junit) = (args.html.as_deref(), args.junit.as_deref());
    let paths = ReportPaths { html, junit, summary: args.summary.as_deref() };
    let is_printed = paths.is_empty() || args.print.json || args.print.quiet;
    let files = ReportFiles::open(paths, None, None, &|flag| format!("--{flag}"))?;
    if is_printed {
        for (number, (run, dir)) in runs.iter().zip(&args.dirs).enumerate() {
            if runs.len() > 1 && !args.print.json {
                let gap = if number > 0 && !args.print.quiet { "\n" } else { "" };
                print(&format!("{gap}Run        {}\n", printable(&dir.display().to_string())))?;
            }
            print_run(run, output(&args.print), colour)?;
        }
    }
    let names: Vec<_> = args.dirs.iter().map(|dir| dir.display().to_string()).collect();
    let titled = names.iter().zip(runs).map(|(name, run)| Titled { name, run });
    files.write(&titled.collect::<Vec<_>>())?;
    Ok(0)
}

fn output(args: &PrintArgs) -> Output {
    Output::new(args.json, args.quiet, args.full)
}
