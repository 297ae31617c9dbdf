//! `seckill bench` finds on real services what it finds on the embedded engines: see
//! `tests/cli/flaws.rs`.

use crate::support::backend::Backend;
use crate::support::flaw_loads::FLAW_LOADS;

#[test]
fn flaws_of_the_embedded_engines_are_found_on_real_services() {
    for load in FLAW_LOADS.iter().filter(|load| load.embedded) {
        let Some(_backend) = Backend::real() else { return };
        load.assert_found(|| Backend::real().unwrap().flags());
    }
}
