//! What a run measured: one recorder per worker, merged at the end, finished into plain data.

mod live;
mod recorder;
mod sample;
mod summary;

pub use live::{Interval, Live, Totals};
pub use recorder::{LATENCY_MAX, Recorder};
pub use sample::{ErrorKind, Outcome, Sample};
pub use summary::{Bin, Quantiles, Summary};
