//! The result of the self-test.

use std::time::Duration;

use serde_json::json;

use crate::monitor::Usage;
use crate::settings::Io;
use crate::stats::Summary;
use crate::units::Span;

use super::runs::{CEILING_THREADS, FREEZE, FROZEN_RUN, PACED_RATE};

/// The bounds of the 90th percentile of the corrected latency: the expected value is 1.4 s, and
/// depends on when the kernel wakes the server.
const P90_MIN: Duration = Duration::from_millis(1_200);
const P90_MAX: Duration = Duration::from_millis(1_900);

/// The figures of the three runs.
#[derive(Debug)]
pub struct SelfTest {
    pub(super) io: Io,
    pub(super) paced: Summary,
    pub(super) ceiling: Summary,
    pub(super) usage: Usage,
    pub(super) frozen: Summary,
}

impl SelfTest {
    /// Whether the corrected latency shows the freeze: if not, no latency measured here can be
    /// trusted.
    pub fn passed(&self) -> bool {
        let shown = micros(self.frozen.corrected.p90);
        self.frozen.errors == 0 && (P90_MIN..=P90_MAX).contains(&shown)
    }

    fn cpu_us_per_request(&self) -> Option<f64> {
        let cpu = self.usage.generator?.cpu_us as f64;
        Some(cpu / self.ceiling.total.max(1) as f64)
    }

    /// The result for people; its last line is the verdict.
    pub fn text(&self) -> String {
        let Self { io, paced, ceiling, frozen, .. } = self;
        let io = io.name();
        let cpu = self.cpu_us_per_request().map_or("?".to_owned(), |cpu| format!("{cpu:.1}"));
        let verdict = if self.passed() {
            "SELF-TEST PASSED: the corrected latency shows the freeze"
        } else {
            "SELF-TEST FAILED: the corrected latency is not the freeze's: trust no latency here"
        };
        format!(
            "Pacing     {PACED_RATE}/s: {} us late in the median, {} us at 99%, {} us at most\n\
             Ceiling    {:.0}/s on {CEILING_THREADS} connections over {io}, {cpu} us of CPU per \
             request, against a stub server on the same machine\n\
             Freeze     {} of {}: 90% within {:?} by the corrected latency, {:?} by the service's; \
             1.4s is expected\n\n{verdict}\n",
            paced.lag.p50,
            paced.lag.p99,
            paced.lag.max,
            ceiling.per_second(ceiling.total),
            Span(FREEZE),
            Span(FROZEN_RUN),
            micros(frozen.corrected.p90),
            micros(frozen.latency.p90),
        )
    }

    /// The result as JSON.
    pub fn json(&self) -> serde_json::Value {
        let Self { io, paced, ceiling, frozen, .. } = self;
        json!({
            "seckill": env!("CARGO_PKG_VERSION"),
            "io": io,
            "pacing": { "per_second": PACED_RATE, "lag_us": paced.lag },
            "ceiling": {
                "per_second": ceiling.per_second(ceiling.total),
                "connections": CEILING_THREADS,
                "cpu_us_per_request": self.cpu_us_per_request(),
            },
            "freeze": {
                "latency_us": frozen.latency,
                "latency_corrected_us": frozen.corrected,
                "errors": frozen.errors,
            },
            "passed": self.passed(),
        })
    }
}

fn micros(us: u64) -> Duration {
    Duration::from_micros(us)
}
