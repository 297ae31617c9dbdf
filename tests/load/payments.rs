//! Payments for held orders are sent again until they are answered for good, when the server asks
//! for it, and not for ever.

use std::time::Duration;

use seckill::history::PaymentAnswer;
use seckill::ids::OrderId;

use super::run::{Run, load};
use crate::support::scripted::{Received, Reply, Scripted, answer, order, queued, refused, won};

const ALL_PAY: &str = "--threads 3 --pay 100%";

/// A server where every attempt wins, and payments are answered by their numbers, from 0.
fn selling(pay: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) -> Scripted {
    Scripted::start(move |request| match request.request() {
        _ if request.is_result => won(request),
        "POST /seckill" => queued(),
        // The first request with this id was the attempt.
        _ => pay(request, request.before - 1),
    })
}

fn paid(request: &Received) -> Reply {
    paid_for(&order(request.id))
}

fn paid_for(order: &str) -> Reply {
    Reply::Bytes(answer(200, "", &format!(r#"{{"status":"paid","order_id":"{order}"}}"#)))
}

/// The payments that the server received for each order, in their order.
fn payments(server: &Scripted) -> Vec<Vec<Received>> {
    let attempts = server.attempts().into_values();
    attempts.map(|requests| requests[1..].to_vec()).collect()
}

/// The answers in the history to the payments of each order.
fn answers(run: &Run) -> Vec<Vec<PaymentAnswer>> {
    let of = |id| {
        let of_order = run.history.payments.iter().filter(|payment| payment.request_id == id);
        of_order.map(|payment| payment.answered).collect()
    };
    run.sent_ids().into_iter().map(of).collect()
}

/// The payments without a usable answer, as the step counts them.
fn errors(run: &Run) -> u64 {
    run.steps[0].errors.iter().map(|(_, count)| count).sum()
}

#[test]
fn payment_that_is_put_off_comes_back_when_told_until_it_is_paid() {
    let server = selling(|request, before| match before {
        0..4 => refused(503, "store_unavailable", "Retry-After: 1\r\n"),
        _ => paid(request),
    });
    let run = load(&server.url(), ALL_PAY);
    let expected = [[PaymentAnswer::Refused; 4].as_slice(), &[PaymentAnswer::Paid]].concat();
    assert_eq!(answers(&run), vec![expected; 3]);
    assert_eq!((run.steps[0].total, errors(&run)), (15, 0));
    for requests in payments(&server) {
        assert_eq!(requests.len(), 5);
        for pair in requests.windows(2) {
            let pause = pair[1].at - pair[0].answered.unwrap();
            assert!(pause >= Duration::from_secs(1), "{requests:?}");
            assert_eq!(pair[0].body, pair[1].body);
        }
    }
}

#[test]
fn payment_is_sent_again_however_often_it_gets_no_answer_that_is_final() {
    let server = selling(|request, before| match before {
        0 => Reply::Close,
        1 => refused(429, "rate_limited", ""),
        2 => Reply::Bytes(answer(502, "", "<html>")),
        3 => refused(503, "draining", "Retry-After: 0\r\n"),
        _ => paid(request),
    });
    let run = load(&server.url(), ALL_PAY);
    let (unknown, put_off) = (PaymentAnswer::Unknown, PaymentAnswer::Refused);
    let expected = vec![unknown, put_off, unknown, put_off, PaymentAnswer::Paid];
    assert_eq!(answers(&run), vec![expected; 3]);
    assert_eq!((run.steps[0].total, errors(&run)), (15, 6));
    // The pause doubles, also for who is told to wait for no time.
    for requests in payments(&server) {
        let least = [100, 200, 400, 800].map(Duration::from_millis);
        for (pair, least) in requests.windows(2).zip(least) {
            assert!(pair[1].at - pair[0].answered.unwrap() >= least, "{requests:?}");
        }
    }
}

#[test]
fn final_answers_end_a_payment() {
    let cases = [
        (refused(409, "expired", ""), PaymentAnswer::Expired),
        (refused(409, "cancelled", ""), PaymentAnswer::Cancelled),
        (refused(404, "unknown_order", ""), PaymentAnswer::UnknownOrder),
        // It contradicts itself.
        (refused(409, "sold_out", ""), PaymentAnswer::Unknown),
    ];
    for (reply, answered) in cases {
        let server = selling(move |_, _| reply.clone());
        let run = load(&server.url(), ALL_PAY);
        assert_eq!(answers(&run), vec![vec![answered]; 3]);
    }
}

#[test]
fn order_that_was_not_paid_for_is_kept_with_the_payment() {
    let other = || OrderId::from_text("tea-1-9");
    for (is_right, told) in [(true, None), (false, Some(Box::new(other())))] {
        let server = selling(move |request, _| match is_right {
            true => paid(request),
            false => paid_for(other().as_str()),
        });
        let run = load(&server.url(), ALL_PAY);
        assert_eq!((run.steps[0].total, errors(&run)), (3, 0));
        for payment in &run.history.payments {
            assert_eq!((payment.answered, &payment.told), (PaymentAnswer::Paid, &told));
        }
        assert_eq!(run.history.payments.len(), 3);
    }
}

#[test]
fn payments_are_given_up_when_the_run_is_over_and_its_time_used_up() {
    let server = selling(|_, _| refused(503, "store_unavailable", ""));
    let run = load(&server.url(), &format!("{ALL_PAY} --settle-timeout 1s"));
    for answers in answers(&run) {
        assert!(answers.len() > 1, "{answers:?}");
        assert!(answers.iter().all(|answered| *answered == PaymentAnswer::Refused));
    }
}

/// Neither is waited for: one buyer gives up at once, and the other one when the load ends.
#[test]
fn payment_is_not_sent_again_after_too_long_a_time() {
    for seconds in [60, 61] {
        let fields = format!("Retry-After: {seconds}\r\n");
        let server = selling(move |_, _| refused(503, "draining", &fields));
        let run = load(&server.url(), &format!("{ALL_PAY} --settle-timeout 1s"));
        assert_eq!(answers(&run), vec![vec![PaymentAnswer::Refused]; 3]);
    }
}
