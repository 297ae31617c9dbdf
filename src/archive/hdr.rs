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

/// The tag of the rows with latencies that are counted from the intended moment.
const CORRECTED: &str = "corrected";

/// Rows of the table for each halving of the distance to 100 %, as in HdrHistogram's own tools.
const TICKS_PER_HALF: u32 = 5;

/// A log in version 1.3, with V2 histograms, deflated: for each second a row without a tag for the
/// service's latencies, and one with the tag `corrected`. Values are microseconds.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
}

impl Log {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create(path)? })
    }

    /// Writes the header, with the beginning of the run.
    pub(super) fn begin(&mut self, begun: SystemTime) -> io::Result<()> {
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
            // Each row has its own writer, because a stored one would have to borrow from `self`.
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    use super::*;
    use crate::stats::{Click, Outcome, Sample};

    /// A second in which requests end that began `late` after their scheduled moment.
    fn second(latencies_us: &[u64], late: Duration) -> Recorder {
        let mut recorder = Recorder::default();
        for latency_us in latencies_us {
            recorder.record(&Sample {
                thread: 0,
                click: Click::First,
                intended: Some(Duration::ZERO),
                began: late,
                connected: None,
                sent: Some(late),
                first_byte: None,
                ended: late + Duration::from_micros(*latency_us),
                bytes_sent: 1,
                bytes_received: 1,
                status: 202,
                result: Ok(Outcome::Accepted),
            });
        }
        recorder
    }

    /// Start and histogram of each row of a log, by its tag.
    fn rows(log: &[u8]) -> BTreeMap<String, Vec<(Duration, Histogram<u64>)>> {
        let mut rows: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for entry in IntervalLogIterator::new(log) {
            let LogEntry::Interval(row) = entry.unwrap() else { continue };
            assert_eq!(row.duration(), Duration::from_secs(1));
            let tag = row.tag().map_or("", |tag| tag.as_str());
            let bytes = base64(row.encoded_histogram());
            let histogram = Deserializer::new().deserialize(&mut &*bytes).unwrap();
            rows.entry(tag.to_owned()).or_default().push((row.start_timestamp(), histogram));
        }
        rows
    }

    /// RFC 4648, without checks.
    fn base64(text: &str) -> Vec<u8> {
        let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']);
        let alphabet: Vec<_> = alphabet.collect();
        let sextets = text.chars().filter_map(|c| alphabet.iter().position(|letter| *letter == c));
        let sextets: Vec<_> = sextets.collect();
        let group = |group: &[usize]| {
            let bits = group.iter().fold(0, |bits, sextet| (bits << 6) | sextet)
                << (6 * (4 - group.len()));
            (bits as u32).to_be_bytes()[1..group.len()].to_vec()
        };
        sextets.chunks(4).flat_map(group).collect()
    }

    #[test]
    fn log_read_back_equals_the_recorded_seconds() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut log = Log::create(file.path()).unwrap();
        log.begin(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)).unwrap();
        let late = Duration::from_millis(40);
        let seconds = [(0, &[900, 1_100, 250_000][..]), (1, &[]), (2, &[1_000])];
        let mut all = Recorder::default();
        for (number, latencies_us) in seconds {
            let recorder = second(latencies_us, late);
            log.write(number, &recorder).unwrap();
            all.merge(&recorder);
        }
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.contains("#[StartTime: 1700000000.123 (seconds since epoch), "), "{text}");
        let rows = rows(text.as_bytes());
        assert_eq!(rows.keys().collect::<Vec<_>>(), ["", CORRECTED]);
        for (tag, whole) in [("", all.latency()), (CORRECTED, all.corrected())] {
            let starts: Vec<_> = rows[tag].iter().map(|(start, _)| start.as_secs()).collect();
            assert_eq!(starts, [0, 2], "a second in which nothing ended has no row");
            let mut sum = Histogram::new_from(whole);
            rows[tag].iter().for_each(|(_, histogram)| sum.add(histogram).unwrap());
            assert_eq!(sum, *whole);
        }
        assert_eq!(rows[""][1].1.max(), 1_000);
        assert!(rows[CORRECTED][1].1.equivalent(rows[CORRECTED][1].1.max(), 41_000));
    }

    #[test]
    fn log_of_a_run_without_requests_has_only_its_head() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut log = Log::create(file.path()).unwrap();
        log.begin(UNIX_EPOCH).unwrap();
        log.write(0, &Recorder::default()).unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(text.lines().all(|line| line.starts_with(['#', '"'])), "{text}");
        assert!(rows(text.as_bytes()).is_empty());
    }

    #[test]
    fn percentile_table_ends_with_the_total_count() {
        let recorder = second(&[1_000, 2_000, 3_000, 64_000], Duration::ZERO);
        let table = percentiles(recorder.latency());
        let rows: Vec<_> = table.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(rows[2].split_whitespace().eq(["1.000", "0.000000000000", "1", "1.00"]), "{table}");
        let last: Vec<_> = rows.last().unwrap().split_whitespace().collect();
        assert_eq!(last[1..], ["1.000000000000", "4"], "{table}");
        assert!(table.contains("Total count    =            4]"), "{table}");
    }
}
