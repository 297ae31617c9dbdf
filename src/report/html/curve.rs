//! The curve of percentiles, over HdrHistogram's axis.

use crate::report::words::{round_time, time};
use crate::stats::CurvePoint;

use super::chart::{Axes, Chart, Mark};
use super::scale::{Scale, Tick};

/// Largest number of points that are drawn. The recorder writes fewer.
const POINTS_MAX: usize = 300;

/// The chart of a curve.
pub(super) fn chart(points: &[CurvePoint]) -> Chart {
    let points = &points[..points.len().min(POINTS_MAX)];
    let times = points.iter().flat_map(|point| [point.service_us, point.corrected_us]);
    let axes = Axes {
        x: Scale::log_from_one(points.last().map_or(1.0, |last| last.one_in)),
        y: Scale::log(times.map(|us| us as f64)),
    };
    let line = |class, name: &str, of: fn(&CurvePoint) -> u64| Mark {
        class,
        is_band: false,
        name: name.to_owned(),
        path: axes.through(points.iter().map(|point| (point.one_in, of(point) as f64))),
    };
    let label = points.last().map_or_else(String::new, |last| {
        let (service, corrected) = (time(last.service_us as f64), time(last.corrected_us as f64));
        format!("service up to {service}, corrected up to {corrected}")
    });
    let empty = match points {
        [] => Some("No request was measured, or it was not recorded."),
        [_] => Some("A single request has no curve."),
        _ => None,
    };
    Chart {
        title: "Latency by percentile",
        unit: "time, logarithmic; percentiles by 1 / (1 − p)",
        label: format!("Latency by percentile: {label}"),
        note: None,
        x: percentiles(&axes),
        y: axes.y_ticks(round_time),
        marks: vec![
            line("c1", "service: begin to last byte", |point| point.service_us),
            line("c7 dashed", "corrected: intended to last byte", |point| point.corrected_us),
        ],
        is_low: false,
        empty,
    }
}

/// The labels of the horizontal axis: percentiles, and at its end the maximum.
fn percentiles(axes: &Axes) -> Vec<Tick> {
    axes.x_ticks_to("max", percentile)
}

/// The percentile that one of so many requests exceeds: 99.9 % for 1000.
fn percentile(one_in: f64) -> String {
    let nines = one_in.log10().round() as usize;
    match nines {
        0 => "0 %".to_owned(),
        1 => "90 %".to_owned(),
        2 => "99 %".to_owned(),
        nines => format!("99.{} %", "9".repeat(nines - 2)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_percentiles() {
        let labels = [1.0, 10.0, 100.0, 1_000.0, 100_000.0].map(percentile);
        assert_eq!(labels, ["0 %", "90 %", "99 %", "99.9 %", "99.999 %"]);
    }

    #[test]
    fn curve_without_points_says_so() {
        assert!(chart(&[]).empty.is_some());
    }

    #[test]
    fn curve_of_one_request_says_so_and_others_end_at_the_maximum() {
        let point = |one_in| CurvePoint { one_in, percent: 0.0, service_us: 7, corrected_us: 7 };
        assert_eq!(chart(&[point(1.0)]).empty, Some("A single request has no curve."));
        let texts = |one_in| {
            let chart = chart(&[point(1.0), point(one_in)]);
            assert_eq!((chart.empty, &*chart.x.last().unwrap().at), (None, "100.00"));
            chart.x.into_iter().map(|tick| tick.text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(texts(3_500.0), "0 % 90 % 99 % 99.9 % max");
        assert_eq!(texts(1_000.0), "0 % 90 % 99 % max", "the last power is in the same place");
    }
}
