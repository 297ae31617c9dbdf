//! `seckill sut check`: one attempt, as it was made and understood.

use std::fmt::Write;
use std::time::Duration;

use crate::bench::{BenchError, Config, Thresholds, Trial, try_out};
use crate::cli::bench_config::{random_seed, trust};
use crate::cli::shop::Shop;
use crate::cli::signals::Signals;
use crate::cli::sources::Sources;
use crate::escape::printable;
use crate::history::{Answered, AttemptNo, Refused, Row, Status};
use crate::ids::{OrderId, RequestId};
use crate::load::{Part, Rehearsed};
use crate::profile::{BenchFlags, Plan, Profile, ProfileError};
use crate::stats::ErrorKind;
use crate::sut::{Meaning, Secrets, Sut, Understood, Unusable};

use super::args::SutCheckArgs;
use super::shown::{cut, hide, line_of_ledger, stock_adds_up};
use super::{Failure, print};

/// How much of a body or a value is shown, in characters.
const SHOWN_LEN: usize = 200;
const VALUE_LEN: usize = 40;

/// Maximum number of new orders that are shown.
const NEW_MAX: usize = 5;

pub(super) fn check(args: SutCheckArgs, sources: &Sources) -> Result<u8, Failure> {
    let profile = Profile::read(&args.file).map_err(|error| match error {
        ProfileError::Io { .. } => Failure::Run(error.into()),
        error => Failure::Usage(error.to_string()),
    })?;
    let given = BenchFlags {
        target: args.target,
        item: args.item,
        buyers_from: args.buyers_from,
        reset: args.reset.then_some(true),
        ..BenchFlags::default()
    };
    let of_profile = &profile.bench;
    let mut flags = BenchFlags {
        threads: None,
        target: given.target.or(of_profile.target.clone()),
        item: given.item.or(of_profile.item.clone()),
        buyers_from: given.buyers_from.or(of_profile.buyers_from.clone()),
        reset: given.reset,
        sut: Some(args.file.clone()),
        connect_timeout: of_profile.connect_timeout,
        timeout: of_profile.timeout,
        cacert: of_profile.cacert.clone(),
        insecure: of_profile.insecure,
        ..BenchFlags::default()
    };
    let explain = |error| Failure::Usage(sources.explain_with(&error, &profile, ""));
    let shop = Shop::of(&mut flags, None).map_err(explain)?;
    let mut plan = Plan::new(&flags, random_seed()).map_err(explain)?;
    let sut = shop.read(&flags, &mut plan, &explain)?;
    // The trial reads the orders itself, and goes on without them.
    plan.no_audit = true;
    let config = Config {
        lab: None,
        plan,
        has_fresh_ids: true,
        sut: sut.clone(),
        spawn: None,
        trust: trust(&flags),
        target: flags.target,
        admin_token: None,
        data: String::new().into(),
        broker_metrics: None,
        jtl: None,
        thresholds: Thresholds::default(),
        out: None,
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let tried = runtime.block_on(async {
        // Dropping the trial ends the programs that it has started.
        let mut signals = Signals::take()?;
        tokio::select! {
            tried = try_out(&config) => tried,
            () = signals.next() => Err(BenchError::Interrupted),
        }
    });
    // After a signal, nothing waits for the attempt.
    runtime.shutdown_background();
    let mut trial = tried.map_err(|error| match error {
        BenchError::Flag(error) => explain(error),
        BenchError::Usage(error) => Failure::Usage(error),
        BenchError::Failed(error) => Failure::Run(error),
        BenchError::Interrupted => Failure::Interrupted,
    })?;
    let secrets = match &sut {
        Sut::Described(shop) => shop.secrets(),
        Sut::Seckill => Secrets::default(),
    };
    // Before anything is cut off, so that no part of one is shown.
    hide(&secrets, &mut trial.requests);
    let (text, is_right) = report(&trial, &sut);
    print(&secrets.hide(&text))?;
    Ok(u8::from(!is_right))
}

/// What the attempt has shown, and whether the description is right as far as one can see.
fn report(trial: &Trial, sut: &Sut) -> (String, bool) {
    let mut text = format!("Shop at {}\n\n", trial.url);
    let mut is_right = true;
    is_right &= line_of_ledger(&mut text, "Before", &trial.before);
    is_right &= stock_adds_up(&mut text, &trial.before);
    let steps = sut.steps();
    for seen in &trial.requests {
        is_right &= request(&mut text, seen, &steps);
    }
    text.push('\n');
    if let Some(because) = &trial.unsettled {
        is_right = false;
        let _ = writeln!(text, "! Unsettled {}", printable(because));
    }
    is_right &= line_of_ledger(&mut text, "After", &trial.after);
    let has_stock = matches!(sut, Sut::Described(shop) if shop.has_stock());
    is_right &= new_orders(&mut text, trial, has_stock);
    let _ = writeln!(
        text,
        "\n{}",
        match is_right {
            true if is_refused(trial) =>
                "The description fits what was seen, which is a refusal only: see a purchase with \
                 --reset, or\nwhile units are left.",
            true => "The description fits what was seen.",
            false => "Something does not fit: see the lines that begin with `!`.",
        }
    );
    (text, is_right)
}

fn request(text: &mut String, seen: &Rehearsed, steps: &[String]) -> bool {
    let request = String::from_utf8_lossy(&seen.request);
    let line = request.lines().next().unwrap_or_default();
    let line = line.strip_suffix(" HTTP/1.1").unwrap_or(line);
    let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let what = match &seen.part {
        Part::Step(step, ..) => steps.get(*step).map_or("step", String::as_str),
        Part::Purchase(..) => "purchase",
        Part::Result(_) => "result",
    };
    let line = cut(line, SHOWN_LEN);
    let _ = match what == line {
        true => writeln!(text, "\n{line}"),
        false => writeln!(text, "\n{}: {line}", printable(what)),
    };
    if !body.is_empty() {
        let _ = writeln!(text, "  sent       {}", cut(body, SHOWN_LEN));
    }
    let took = seen.took.max(Duration::from_micros(1)).as_secs_f64() * 1e3;
    match &seen.answer {
        Ok((status, body)) => {
            let body = String::from_utf8_lossy(body);
            let _ =
                writeln!(text, "  answered   {status} in {took:.1} ms: {}", cut(&body, SHOWN_LEN));
        }
        Err(kind) => {
            let _ = writeln!(text, "! answered   nothing: {kind} after {took:.1} ms");
        }
    }
    match &seen.part {
        Part::Step(_, extracted, error) => {
            extractions(text, extracted, *error);
            error.is_none()
        }
        Part::Purchase(extracted, outcome, understood) => {
            extractions(text, extracted, None);
            purchase(text, *outcome, understood)
        }
        Part::Result(status) => result(text, status),
    }
}

fn extractions(text: &mut String, extracted: &[(String, String)], error: Option<ErrorKind>) {
    for (name, value) in extracted {
        let sign = if value.is_empty() { '!' } else { ' ' };
        let value = match value.is_empty() {
            true => "not found".to_owned(),
            false => cut(value, VALUE_LEN),
        };
        let _ = writeln!(text, "{sign} extracted  {} = {value}", printable(name));
    }
    if let Some(kind) = error {
        let because = match kind {
            ErrorKind::Body => "a value is not where it should be".to_owned(),
            ErrorKind::Http(status) => format!("status {status} is none of a success"),
            kind => kind.to_string(),
        };
        let _ = writeln!(text, "! failed     {because}");
    }
}

fn purchase(
    text: &mut String,
    outcome: Option<usize>,
    understood: &Result<Understood, Unusable>,
) -> bool {
    match understood {
        Ok(understood) => {
            let number = outcome.map_or_else(String::new, |number| {
                format!(", by [[outcome]] number {}", number + 1)
            });
            let words = meaning(&understood.meaning, understood.outcome.as_str());
            let _ = writeln!(text, "  understood {}{number}", printable(&words));
            true
        }
        Err(_) => {
            let because = match outcome {
                Some(number) => format!("[[outcome]] number {} has no order_id in it", number + 1),
                None => "no [[outcome]] matches the answer".to_owned(),
            };
            let _ = writeln!(text, "! understood as an error: {because}");
            false
        }
    }
}

fn meaning(meaning: &Meaning, word: &str) -> String {
    match meaning {
        Meaning::Answered(Answered::Accepted) => "as accepted: it is decided later".to_owned(),
        Meaning::Answered(Answered::Won(order)) if !order.is_told() => "as won".to_owned(),
        Meaning::Answered(Answered::Won(order)) => format!("as won: order {order}"),
        Meaning::Answered(Answered::Lost(loss)) => format!("as lost: {}", loss.as_str()),
        Meaning::Answered(Answered::Unknown) => {
            format!("as refused ({word}), which may have had an effect")
        }
        Meaning::Refused(Refused::Other) => format!("as refused ({word}), without an effect"),
        Meaning::Refused(refused) => {
            format!("as refused ({}), without an effect", refused.as_str())
        }
    }
}

fn result(text: &mut String, status: &Result<Option<Status>, Unusable>) -> bool {
    let (sign, words) = match status {
        Ok(Some(Status::Queued)) => ('!', "as still queued".to_owned()),
        Ok(Some(Status::Won(order))) => (' ', format!("as won: order {order}")),
        Ok(Some(Status::Lost(loss))) => (' ', format!("as lost: {}", loss.as_str())),
        Ok(None) => ('!', "as unknown to the shop".to_owned()),
        Err(_) => ('!', "as an error: no [[result.outcome]] matches the answer".to_owned()),
    };
    let _ = writeln!(text, "{sign} understood {}", printable(&words));
    sign == ' '
}

/// The orders that are new, and whether they fit what the attempt was told.
fn new_orders(text: &mut String, trial: &Trial, has_stock: bool) -> bool {
    let ours = trial.history.ids.request_id(AttemptNo { thread: 0, index: 0 });
    for row in trial.new.iter().take(NEW_MAX) {
        let whose = if row.request_id == ours { "of this attempt" } else { "of nobody here" };
        let status = match &row.status {
            Status::Won(order) => format!("order {order}"),
            Status::Lost(_) => "a lost attempt".to_owned(),
            Status::Queued => "a queued attempt".to_owned(),
        };
        let line = format!("{status} of buyer {}, {whose}", row.uid);
        let _ = writeln!(text, "New        {}", printable(&line));
    }
    let problems = problems(trial, &ours, has_stock);
    problems.iter().for_each(|problem| {
        let _ = writeln!(text, "! New      {}", printable(problem));
    });
    trial.after.is_ok() && problems.is_empty()
}

/// What does not fit between the answers, the orders and the stock.
fn problems(trial: &Trial, ours: &RequestId, has_stock: bool) -> Vec<String> {
    let (Ok(before), Ok(after)) = (&trial.before, &trial.after) else { return Vec::new() };
    let mut problems = Vec::new();
    let is_won = |row: &&Row| matches!(row.status, Status::Won(_));
    let orders = trial.new.iter().filter(is_won).count();
    if has_stock && !after.tells.stock {
        problems.push("[truth.stock] gave no number".to_owned());
    }
    let (was, left) = (before.sale.stock_left, after.sale.stock_left);
    if before.tells.stock && after.tells.stock && was - left != orders as i64 {
        problems.push(format!("{orders} new orders, and the units left went from {was} to {left}"));
    }
    let mine: Vec<&Row> = trial.new.iter().filter(|row| row.request_id == *ours).collect();
    if orders > 1 {
        problems
            .push(format!("one attempt, and {orders} new orders: see `only` of [truth.orders]"));
    }
    if is_refused(trial) && (!mine.is_empty() || orders == 1) {
        problems.push(
            "the attempt was refused without an effect, and there is a new order: see the \
             [[outcome]] that it was understood by"
                .to_owned(),
        );
    }
    let tells = after.tells;
    let can_be_told = tells.buyers || tells.request_ids || tells.order_ids;
    let told = told_order(trial);
    match told {
        None => {}
        Some(_) if trial.new.is_empty() => {
            problems.push("the attempt was won, and there is no new order".to_owned());
        }
        Some(_) if can_be_told && mine.is_empty() => problems.push(
            "the attempt was won, and no order is known as its own: see `fields` or `pattern` of \
             [truth.orders]"
                .to_owned(),
        ),
        Some(told) => {
            let ids = mine.iter().filter_map(|row| row.status.order_id());
            let others: Vec<&OrderId> = ids.filter(|id| !id.agrees_with(told)).collect();
            others.iter().for_each(|id| {
                problems
                    .push(format!("the answer tells of order {told}, and the orders have {id}"));
            });
        }
    }
    problems
}

/// Whether the attempt was told that it has no effect.
fn is_refused(trial: &Trial) -> bool {
    trial.requests.iter().any(|seen| {
        let Part::Purchase(_, _, Ok(understood)) = &seen.part else { return false };
        matches!(understood.meaning, Meaning::Refused(_) | Meaning::Answered(Answered::Lost(_)))
    })
}

/// The order that the attempt was told of, by its answer or its result.
fn told_order(trial: &Trial) -> Option<&OrderId> {
    let answers = trial.history.entries.iter().find_map(|entry| match &entry.answered {
        Answered::Won(order) => Some(&**order),
        _ => None,
    });
    answers.or_else(|| {
        trial.requests.iter().find_map(|seen| match &seen.part {
            Part::Result(Ok(Some(status))) => status.order_id(),
            _ => None,
        })
    })
}
