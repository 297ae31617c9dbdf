//! Samples as JMeter writes them in CSV, with its default header and columns: its own reports and
//! listeners open the file. Times are milliseconds.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::StatusCode;

use crate::profile::Target;
use crate::stats::{Click, Live, Sample};

/// JMeter's default columns, by its manual's chapter on the CSV log format.
const HEADER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,\
                      success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,\
                      IdleTime,Connect\n";

/// A file of samples.
#[derive(Debug)]
pub(super) struct Jtl {
    file: File,
    url: String,
    /// A batch of lines, written at once.
    lines: Vec<u8>,
}

impl Jtl {
    pub(super) fn create(path: &Path, target: &Target) -> io::Result<Self> {
        let mut file = File::create(path)?;
        file.write_all(HEADER.as_bytes())?;
        Ok(Self { file, url: format!("{}/seckill", target.url), lines: Vec::new() })
    }

    /// Appends samples of a run that began at `begun`.
    pub(super) fn write(
        &mut self,
        begun: SystemTime,
        samples: &[Sample],
        live: &Live,
    ) -> io::Result<()> {
        self.lines.clear();
        let active = live.totals().active().max(1);
        let begun = begun.duration_since(UNIX_EPOCH).unwrap_or_default();
        for sample in samples {
            line(&mut self.lines, begun, sample, active, &self.url)?;
        }
        self.file.write_all(&self.lines)
    }
}

fn line(
    lines: &mut Vec<u8>,
    begun: Duration,
    sample: &Sample,
    active: u64,
    url: &str,
) -> io::Result<()> {
    // As between two readings of a clock of milliseconds: cut off, the times would be half of one
    // too short in the mean.
    let clock = |moment: Duration| (begun + moment).as_millis();
    let since_began = |moment: Option<Duration>| {
        moment.map_or(0, |moment| clock(moment).saturating_sub(clock(sample.began)))
    };
    write!(
        lines,
        "{},{},{},",
        clock(sample.began),
        since_began(Some(sample.ended)),
        label(sample.click),
    )?;
    match (sample.result, StatusCode::from_u16(sample.status)) {
        // As JMeter has it, with a name of ours where it has a Java exception's.
        (Err(kind), Err(_)) => {
            write!(lines, "Non HTTP response code: {kind},Non HTTP response message: {kind}")?
        }
        (_, status) => {
            let reason = status.ok().and_then(|status| status.canonical_reason());
            write!(lines, "{},{}", sample.status, reason.unwrap_or_default())?;
        }
    }
    write!(lines, ",Thread Group 1-{},text,{},", sample.thread + 1, sample.result.is_ok())?;
    if let Err(kind) = sample.result {
        write!(lines, "{kind}")?;
    }
    writeln!(
        lines,
        ",{},{},{active},{active},{url},{},0,{}",
        sample.bytes_received,
        sample.bytes_sent,
        since_began(sample.first_byte),
        since_began(sample.connected),
    )
}

fn label(click: Click) -> &'static str {
    match click {
        Click::First => "POST /seckill",
        Click::Twin => "POST /seckill (double click)",
        Click::Again(_) => "POST /seckill (retry)",
    }
}
