//! The curve of percentiles, on HdrHistogram's scale: each step halves the distance to 100 %, so
//! that the rare long latencies take as much of the curve as the usual ones.

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// Steps for each halving of the distance to 100 %.
const STEPS_PER_HALF: f64 = 4.0;

/// A point of the curve: the latency that only one request of `one_in` exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    /// 1 / (1 - p), for a percentile p from 0 to 1; the number of requests at the last point.
    pub one_in: f64,
    /// The percentile, 0 to 100; 100 at the last point, which is the maximum.
    pub percent: f64,
    /// The latency of the service, in microseconds.
    pub service_us: u64,
    /// The corrected latency, in microseconds.
    pub corrected_us: u64,
}

/// The curve of both latencies of the same requests: at most some 150 points, since each step is a
/// quarter of a halving. Empty if there are no requests.
pub(super) fn curve(service: &Histogram<u64>, corrected: &Histogram<u64>) -> Vec<CurvePoint> {
    let count = service.len() as f64;
    if service.is_empty() || corrected.is_empty() {
        return Vec::new();
    }
    let at = |histogram: &Histogram<u64>, quantile| {
        histogram.value_at_quantile(quantile).min(histogram.max())
    };
    let point = |one_in: f64, quantile: f64| CurvePoint {
        one_in,
        percent: 100.0 * quantile,
        service_us: at(service, quantile),
        corrected_us: at(corrected, quantile),
    };
    let steps = (0..).map(|step| (f64::from(step) / STEPS_PER_HALF).exp2());
    let inner = steps.take_while(|one_in| *one_in < count);
    let inner = inner.map(|one_in| point(one_in, 1.0 - 1.0 / one_in));
    inner.chain([point(count, 1.0)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::recorder::histogram;

    #[test]
    fn curve_ends_with_the_maximum_and_never_falls() {
        let (mut service, mut corrected) = (histogram(), histogram());
        (1..=1_000).for_each(|us| service.saturating_record(us));
        (1..=1_000).for_each(|us| corrected.saturating_record(2 * us));
        let curve = curve(&service, &corrected);
        let last = curve.last().unwrap();
        assert_eq!((last.one_in, last.percent), (1_000.0, 100.0));
        assert_eq!((last.service_us, last.corrected_us), (service.max(), corrected.max()));
        let median = curve.iter().find(|point| point.one_in == 2.0).unwrap();
        assert_eq!((median.percent, median.service_us), (50.0, 500));
        assert!(curve.is_sorted_by_key(|point| point.service_us));
        assert!(curve.is_sorted_by(|a, b| a.one_in < b.one_in));
    }

    #[test]
    fn curve_of_one_request_is_one_point() {
        let mut one = histogram();
        one.saturating_record(7);
        let of_one = curve(&one, &one);
        assert_eq!(of_one.len(), 1);
        assert_eq!((of_one[0].one_in, of_one[0].service_us), (1.0, 7));
        assert!(curve(&histogram(), &histogram()).is_empty());
    }
}
