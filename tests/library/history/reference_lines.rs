//! Lines of a history file.

/// One line of each kind, as docs/reference.md describes them.
pub(super) const LINES: [&str; 8] = [
    concat!(
        r#"{"thread":0,"index":0,"answered":"accepted","sent_us":1000,"answered_us":1007,"#,
        r#""refusal":{"refused":"sold_out","sent_us":2000,"answered_us":2050,"#,
        r#""was_accepted":true}}"#
    ),
    concat!(
        r#"{"thread":1,"index":0,"answered":"lost_already_bought","#,
        r#""sent_us":1000,"answered_us":1007}"#
    ),
    concat!(
        r#"{"of":{"refused":"sold_out"},"tally":{"count":1,"#,
        r#""first":{"attempt":{"thread":1,"index":1},"sent_us":2100,"answered_us":2150},"#,
        r#""last":{"attempt":{"thread":1,"index":1},"sent_us":2100,"answered_us":2150},"#,
        r#""sample":[{"attempt":{"thread":1,"index":1},"sent_us":2100,"answered_us":2150}],"#,
        r#""every":1}}"#
    ),
    concat!(
        r#"{"view":{"sent_us":80000,"answered_us":80300,"sale":{"item":"tea","epoch":4,"#,
        r#""stock":3,"stock_left":-1,"orders":4,"queued":1,"per_buyer":2,"#,
        r#""hours":{"opens_us":1795556940000000},"stage":"open","finished":false}}}"#
    ),
    concat!(
        r#"{"view":{"sent_us":50000,"answered_us":50300,"sale":{"item":"tea","epoch":4,"#,
        r#""stock":3,"stock_left":0,"orders":3,"queued":1,"hours":{}}}}"#
    ),
    concat!(
        r#"{"request_id":"4ca9dcc2-868c-40c0-81de-261df769886e","result":"won","#,
        r#""order_id":"tea-1-2","order":"held","sent_us":90000,"answered_us":90400}"#
    ),
    concat!(
        r#"{"payment":{"request_id":"4ca9dcc2-868c-40c0-81de-261df769886e","#,
        r#""answered":"unknown_order","sent_us":80000,"answered_us":81000}}"#
    ),
    concat!(
        r#"{"entries":9,"tallies":10,"views":3,"results":10,"payments":6,"#,
        r#""asked":{"wanted":9,"answered":8},"#,
        r#""standstill":{"queued":1,"unchanged_us":30000000,"waited_us":0,"is_ready":true},"#,
        r#""sent_again":{"wanted":4,"answered":3},"#,
        r#""no_states":[{"status":404,"sent_us":70000}]}"#
    ),
];
