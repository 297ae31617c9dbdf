//! What a run measured: one recorder per worker, merged at the end, finished into plain data.

mod counts;
mod live;
mod recorder;
mod sample;
mod series;
mod summary;

pub use counts::Counts;
pub use live::{Interval, Live, Totals};
pub use recorder::{LATENCY_MAX, Recorder};
pub use sample::{Click, ErrorKind, Outcome, Sample};
pub use series::{Point, SaleNow, Series};
pub use summary::{Bin, Quantiles, Summary};
