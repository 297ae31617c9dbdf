//! Samples as JMeter writes them in CSV, with its default header and columns: its own reports and
//! listeners open the file. Times are milliseconds.

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::StatusCode;

use crate::stats::{Live, Sample};
use crate::sut::{Sut, Target};

/// JMeter's default columns, as its manual's chapter on the CSV log format lists them.
const HEADER: &str = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,\
                      success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,\
                      IdleTime,Connect\n";

/// A file of samples.
#[derive(Debug)]
pub(super) struct Jtl {
    file: File,
    sut: Sut,
    url: String,
    /// A batch of lines, written with one call.
    lines: Vec<u8>,
}

impl Jtl {
    /// Begins an empty file.
    pub(super) fn begin(mut file: File, sut: &Sut, target: &Target) -> io::Result<Self> {
        file.write_all(HEADER.as_bytes())?;
        let url = format!("{}{}", target.url, sut.purchase_path());
        Ok(Self { file, sut: sut.clone(), url, lines: Vec::new() })
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
            line(&mut self.lines, begun, sample, active, (&self.sut, &self.url))?;
        }
        self.file.write_all(&self.lines)
    }
}

fn line(
    lines: &mut Vec<u8>,
    begun: Duration,
    sample: &Sample,
    active: u64,
    (sut, url): (&Sut, &str),
) -> io::Result<()> {
    // As in JMeter, the difference of two readings of a millisecond clock: a truncated difference
    // would be half a millisecond too short on average.
    let clock = |moment: Duration| (begun + moment).as_millis();
    let since_began = |moment: Option<Duration>| {
        moment.map_or(0, |moment| clock(moment).saturating_sub(clock(sample.began)))
    };
    write!(
        lines,
        "{},{},{},",
        clock(sample.began),
        since_began(Some(sample.ended)),
        sut.label(sample.click),
    )?;
    match (sample.result, StatusCode::from_u16(sample.status)) {
        // As in JMeter, with the kind of the error in place of the name of a Java exception.
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
