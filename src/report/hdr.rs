//! HdrHistogram's own files: the log of a run, second by second, and the table of percentiles that
//! its plotters read.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};

use crate::stats::Recorder;

/// The rows of latencies that are counted from the intended moment.
const CORRECTED: &str = "corrected";

/// Rows of the table for each halving of the distance to 100 %, as in HdrHistogram's own tools.
const TICKS_PER_HALF: u32 = 5;

/// A log in version 1.3, with V2 histograms, deflated: for each second a row without a tag for the
/// service's latencies, and one with the tag `corrected`. Values are microseconds.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    has_head: bool,
}

impl Log {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)?, has_head: false })
    }

    /// Writes the head: the run begins at this moment.
    pub(super) fn begin(&mut self, begun: SystemTime) -> io::Result<()> {
        self.has_head = true;
        let since_epoch = begun.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let begun = humantime::format_rfc3339_millis(begun);
        write!(
            self.file,
            "#[seckill {}: microseconds; without a tag from begin to last byte, with the tag \
             {CORRECTED} from the intended moment]\n\
             #[Histogram log format version 1.3]\n\
             #[StartTime: {since_epoch:.3} (seconds since epoch), {begun}]\n\
             \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\
             \"Interval_Compressed_Histogram\"\n",
            env!("CARGO_PKG_VERSION"),
        )
    }

    /// Writes a second of the run, from 0.
    pub(super) fn write(&mut self, second: u64, recorder: &Recorder) -> io::Result<()> {
        let rows = [(None, recorder.latency()), (Tag::new(CORRECTED), recorder.corrected())];
        let mut lines = Vec::new();
        for (tag, histogram) in rows.into_iter().filter(|(_, histogram)| !histogram.is_empty()) {
            // A writer for each row: one that is kept would have to borrow from this.
            let mut serializer = V2DeflateSerializer::new();
            IntervalLogWriterBuilder::new()
                .begin_log_with(&mut lines, &mut serializer)?
                .write_histogram(
                    histogram,
                    Duration::from_secs(second),
                    Duration::from_secs(1),
                    tag,
                )
                .map_err(|error| io::Error::other(error.to_string()))?;
        }
        self.file.write_all(&lines)
    }
}

/// The table of percentiles, in milliseconds, as `outputPercentileDistribution` of HdrHistogram
/// writes it.
pub(super) fn percentiles(histogram: &Histogram<u64>) -> String {
    let ms = |us: f64| us / 1e3;
    let mut lines = vec![
        format!(
            "{:>12} {:>14} {:>10} {:>14}",
            "Value", "Percentile", "TotalCount", "1/(1-Percentile)"
        ),
        String::new(),
    ];
    let mut total = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        let quantile = step.quantile_iterated_to();
        let value = ms(step.value_iterated_to() as f64);
        total += step.count_since_last_iteration();
        let line = format!("{value:12.3} {quantile:14.12} {total:10}");
        lines.push(match quantile < 1.0 {
            true => format!("{line} {:14.2}", 1.0 / (1.0 - quantile)),
            false => line,
        });
    }
    let sub_buckets = 2 * 10u64.pow(histogram.sigfig().into());
    lines.extend([
        format!(
            "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]",
            ms(histogram.mean()),
            ms(histogram.stdev()),
        ),
        format!(
            "#[Max     = {:12.3}, Total count    = {:12}]",
            ms(histogram.max() as f64),
            histogram.len(),
        ),
        format!(
            "#[Buckets = {:12}, SubBuckets     = {:12}]",
            histogram.buckets(),
            sub_buckets.next_power_of_two(),
        ),
        String::new(),
    ]);
    lines.join("\n")
}
