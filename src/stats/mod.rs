//! Figures of a run: one recorder per worker, merged exactly, finished into plain data; the run
//! second by second; the sinks that receive both. It knows no API, no file and no socket.

mod counts;
mod curve;
mod fault;
mod live;
mod outcome;
mod reason;
mod recorder;
mod sample;
mod second_recorder;
mod series;
mod sink;
mod steps;
mod summary;

pub use counts::Counts;
pub use curve::CurvePoint;
pub use fault::FaultRecord;
pub use live::{Interval, LastSecond, Live, Totals};
pub use outcome::{ErrorKind, Outcome};
pub use reason::Reason;
pub use recorder::{LATENCY_MAX, Recorder};
pub use sample::{Click, Sample};
pub use second_recorder::SecondRecorder;
pub use series::{Point, SaleNow, Series, SeriesSink};
pub use sink::Sink;
pub use steps::{StepSummary, Steps};
pub use summary::{Bin, Quantiles, Summary};
