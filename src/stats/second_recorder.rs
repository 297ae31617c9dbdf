//! [`SecondRecorder`]: what one worker records in one second of a run.

use hdrhistogram::Histogram;

use super::outcome::AnswerKind;
use super::recorder::{histogram, micros};
use super::{Recorder, Sample};

/// A recorder in which the usual sample takes one histogram instead of four. Most requests have no
/// scheduled moment, need no new connection, and get their answer in one piece: such a request has
/// one latency.
#[derive(Debug)]
pub struct SecondRecorder {
    /// Everything but the latencies of those requests.
    pub recorder: Recorder,
    /// Their latencies, indexed by [`AnswerKind`].
    alike: [Histogram<u64>; AnswerKind::COUNT],
}

impl Default for SecondRecorder {
    fn default() -> Self {
        Self { recorder: Recorder::default(), alike: std::array::from_fn(|_| histogram()) }
    }
}

impl SecondRecorder {
    /// Counts one sample, as [`Recorder::record`] does.
    pub fn record(&mut self, sample: &Sample) {
        if has_one_latency(sample) {
            let alike = &mut self.alike[AnswerKind::of(sample.result) as usize];
            alike.saturating_record(micros(sample.latency()));
            self.recorder.count(sample);
        } else {
            self.recorder.record(sample);
        }
    }

    /// The recorder that has all of it.
    pub fn finish(self) -> Recorder {
        let mut recorder = self.recorder;
        for (of_kind, alike) in recorder.latency_of.iter_mut().zip(&self.alike) {
            // Adding an empty histogram would take as long as any other.
            if alike.is_empty() {
                continue;
            }
            let equal = [&mut recorder.latency, &mut recorder.corrected, &mut recorder.first_byte];
            for sum in equal.into_iter().chain([of_kind]) {
                if let Err(error) = sum.add(alike) {
                    unreachable!("all histograms have the same bounds: {error}");
                }
            }
        }
        recorder
    }
}

/// Whether the latency, the corrected latency and the time to the first byte are the same, and
/// nothing else is measured.
fn has_one_latency(sample: &Sample) -> bool {
    sample.intended.is_none()
        && sample.connected.is_none()
        && sample.first_byte == Some(sample.ended)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::stats::{Click, ErrorKind, Outcome};

    #[test]
    fn second_has_the_figures_of_a_recorder() {
        let us = Duration::from_micros;
        let mut samples = Vec::new();
        for number in 0..4000_u64 {
            let began = us(number * 100);
            let ended = began + us(10 + number % 900);
            let is = |part: u64| number.is_multiple_of(part);
            samples.push(Sample {
                thread: 0,
                click: Click::First,
                intended: is(3).then_some(began.saturating_sub(us(number % 50))),
                began,
                connected: is(5).then_some(began + us(3)),
                sent: Some(began + us(4)),
                first_byte: if is(11) { None } else { Some(if is(7) { began } else { ended }) },
                ended,
                bytes_sent: 3,
                bytes_received: 5,
                status: 200,
                result: match number % 4 {
                    0 => Ok(Outcome::Accepted),
                    1 => Ok(Outcome::Rejected),
                    2 => Ok(Outcome::Won),
                    _ => Err(ErrorKind::Timeout),
                },
            });
        }
        let (mut second, mut recorder) = (SecondRecorder::default(), Recorder::default());
        for sample in &samples {
            second.record(sample);
            recorder.record(sample);
        }
        assert!(second.alike.iter().all(|alike| !alike.is_empty()));
        let finished = second.finish();
        assert_eq!(finished.latency_of, recorder.latency_of);
        let figures = [finished, recorder].map(|recorder| format!("{:?}", recorder.finish()));
        assert_eq!(figures[0], figures[1]);
    }
}
