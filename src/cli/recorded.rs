//! `seckill audit DIR` and `seckill report DIR`: judge and print recorded runs.

use crate::archive::Recording;

use super::Failure;
use super::args::{Colour, RecordedArgs};
use super::bench::print_run;
use super::bench_config::Output;

/// Judges a recorded run again; the exit code is that of the new verdict.
pub(super) fn audit(args: &RecordedArgs, colour: Colour) -> Result<u8, Failure> {
    let run = Recording::open(&args.dir)?.audit()?;
    print_run(&run, output(args), colour)?;
    Ok(run.exit_code())
}

/// Prints a recorded run again, as it was judged then.
pub(super) fn report(args: &RecordedArgs, colour: Colour) -> Result<u8, Failure> {
    let recording = Recording::open(&args.dir)?;
    print_run(recording.run(), output(args), colour)?;
    Ok(0)
}

fn output(args: &RecordedArgs) -> Output {
    Output::new(args.json, args.quiet, args.full)
}
