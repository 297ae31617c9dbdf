//! The flawed steps of the server, each in a file of its own. Start-up puts them in place of the
//! standard ones.

mod ack_before_apply;
mod ack_on_error;
mod blind_admission;
mod global_result;
mod lost_result;
mod sticky_sold_out;

pub(super) use ack_before_apply::decide as ack_before_apply;
pub(super) use ack_on_error::handle as ack_on_error;
pub(super) use blind_admission::admit as blind_admission;
pub(super) use global_result::answer as global_result;
pub(super) use lost_result::answer as lost_result;
pub(super) use sticky_sold_out::admit as sticky_sold_out;
