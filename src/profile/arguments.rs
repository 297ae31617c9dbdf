//! The flags that make a plan again, for a report that says how to repeat a run.

use serde_json::Value;

use crate::secret::EngineUrl;
use crate::settings::{Buyers, Io};
use crate::units::{Share, Span};

use super::flags::ServeFlags;
use super::model::Model;
use super::plan::Plan;
use super::workload::{Arrival, Stage};

impl Plan {
    /// The flags of `seckill bench` that make this plan, all of them explicitly: a default may
    /// differ between versions. The tested system and the outputs are not among them.
    pub fn arguments(&self) -> Vec<String> {
        let mut list = Arguments::default();
        self.of_model(&mut list);
        list.given("warmup", (!self.warmup.is_zero()).then_some(Span(self.warmup)));
        list.given("buyers", (self.buyers != Buyers::New).then_some(self.buyers));
        let double_click = self.double_click;
        list.given("double-click", (double_click != Share::default()).then_some(double_click));
        if self.retry.max > 0 {
            list.given("retry", Some(self.retry.max));
            let on: Vec<_> = self.retry.on.iter().map(|on| on.as_str()).collect();
            list.given("retry-on", Some(on.join(",")));
            list.given("retry-backoff", Some(Span(self.retry.backoff)));
            list.given("retry-budget", Some(self.retry.budget));
        }
        list.switch("follow", self.follow);
        list.given("pay", self.pay.map(|pay| pay.share));
        list.given("pay-after", self.pay.map(|pay| pay.after));
        list.given("item", self.item.as_ref());
        list.switch("insecure", self.insecure);
        list.switch("no-keepalive", !self.keepalive);
        // Elsewhere io_uring may be forbidden, and without the flag it is taken where it is not.
        list.given("io", (self.io == Io::Epoll).then_some(self.io.as_str()));
        list.given("connect-timeout", Some(Span(self.connect_timeout)));
        list.given("timeout", Some(Span(self.timeout)));
        list.given("settle-timeout", Some(Span(self.settle_timeout)));
        list.given("max-errors", self.max_errors);
        for (name, expressions) in [("fail-if", &self.fail_if), ("abort-on", &self.abort_on)] {
            expressions.iter().for_each(|expression| list.given(name, Some(expression)));
        }
        list.given("baseline", self.baseline.as_ref());
        self.faults.iter().for_each(|fault| list.given("fault", Some(fault)));
        list.given("nemesis", self.nemesis);
        list.given("stock", self.stock);
        list.given("expect-stock", self.expect_stock);
        list.switch("reset", self.reset);
        list.given("buyers-from", self.buyers_from.as_ref().map(|path| path.display()));
        list.switch("no-audit", self.no_audit);
        list.given("seed", Some(self.seed));
        list.0
    }

    fn of_model(&self, list: &mut Arguments) {
        let stages = |stages: &[Stage]| {
            let stages: Vec<_> = stages.iter().map(ToString::to_string).collect();
            (!stages.is_empty()).then(|| stages.join(","))
        };
        match &self.model {
            Model::Closed { ramp, users_at_start, stages: all, loops, think, stampede } => {
                let threads = if all.is_empty() { self.threads } else { *users_at_start };
                list.given("threads", (threads > 0).then_some(threads));
                list.given("ramp", (!ramp.is_zero()).then_some(Span(*ramp)));
                list.given("loops", *loops);
                let duration = self.duration.filter(|_| all.is_empty());
                list.given("duration", duration.map(Span));
                list.given("stage", stages(all));
                list.given("think", (!think.is_zero()).then_some(think));
                list.switch("stampede", *stampede);
            }
            Model::Open { arrival, rate_at_start, stages: all, .. } => {
                list.given("rate", (*rate_at_start > 0).then(|| format!("{rate_at_start}/s")));
                list.given("stage", stages(all));
                let duration = self.duration.filter(|_| all.is_empty());
                list.given("duration", duration.map(Span));
                list.given("arrival", (*arrival == Arrival::Poisson).then_some("poisson"));
                list.given("max-threads", Some(self.threads));
            }
        }
    }
}

impl ServeFlags {
    /// The flags that were given, without secrets: the token is left out, and so are user, password
    /// and query of an engine's URL.
    pub fn arguments(&self) -> Vec<String> {
        let mut flags = self.clone();
        flags.admin_token = None;
        flags.waiting_room_secret = None;
        let mut list = Arguments::default();
        for (name, url) in [("queue", flags.queue.take()), ("store", flags.store.take())] {
            list.given(name, url.as_ref().map(EngineUrl::to_string));
        }
        let Ok(Value::Object(given)) = serde_json::to_value(flags) else { return list.0 };
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
            let value = match value {
                Value::Array(several) => several.iter().map(text).collect::<Vec<_>>().join(","),
                one => text(one),
            };
            list.given(name, Some(value));
        }
        list.0
    }
}

/// Flags as they are written on a command line.
#[derive(Debug, Default)]
struct Arguments(Vec<String>);

impl Arguments {
    fn given(&mut self, name: &str, value: Option<impl std::fmt::Display>) {
        self.0.extend(value.map(|value| format!("--{name}={value}")));
    }

    fn switch(&mut self, name: &str, is_on: bool) {
        self.0.extend(is_on.then(|| format!("--{name}")));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::profile::BenchFlags;

    #[derive(Parser)]
    #[command(no_binary_name = true)]
    struct Bench {
        #[command(flatten)]
        flags: BenchFlags,
    }

    fn plan(arguments: &[String]) -> Plan {
        Plan::new(&Bench::try_parse_from(arguments).unwrap().flags, 1).unwrap()
    }

    #[test]
    fn arguments_of_a_plan_make_the_same_plan() {
        for line in [
            "",
            "--threads 350 --ramp 20s --loops 10",
            "--threads 4 --duration 1m30s --think uniform:1s..3s --warmup 250ms",
            "--threads 5 --stage 10s:350,30s:350,5s:0 --think exponential:50ms",
            "--stage 10s:5k/s --stage 5s:0/s --max-threads 77",
            "--rate 5k/s --arrival poisson --duration 30s --double-click 0.5% --buyers 10k:1.1",
            "--stampede --threads 1k --buyers thread --no-keepalive --item tea --stock 3",
            "--retry 3 --retry-on 503,connect --retry-backoff 20ms --retry-budget 7% --follow",
            "--no-audit --connect-timeout 21s --timeout 1s --settle-timeout 2s --seed 9",
            "--max-errors 100% --expect-stock 12",
            "--fail-if p99>20ms --fail-if errors>2% --abort-on rate<5/s",
            "--fail-if p99>1.2x --baseline ../base",
            "--nemesis 7 --duration 1m --fault=at=5s_what=client_do=down",
        ] {
            let words = line.split_whitespace();
            let given: Vec<_> = words.map(|word| word.replace('_', " ")).collect();
            let wanted = plan(&given);
            assert_eq!(plan(&wanted.arguments()), wanted, "{line}: {:?}", wanted.arguments());
        }
    }

    #[test]
    fn arguments_of_a_server_contain_no_secret() {
        let flags = ServeFlags {
            stock: "100".parse().ok(),
            queue: "amqp://ann:hidden@host:5672/shop".parse().ok(),
            store: "redis://:hidden@host/3?password=hidden".parse().ok(),
            admin_token: "hidden".parse().ok(),
            waiting_room_secret: "hidden".parse().ok(),
            fresh_sale: Some(true),
            ..ServeFlags::default()
        };
        let expected = [
            "--queue=amqp://host:5672/shop",
            "--store=redis://host/3",
            "--fresh-sale=true",
            "--stock=100",
        ];
        let mut arguments = flags.arguments();
        arguments.sort();
        let mut expected = expected.map(str::to_owned);
        expected.sort();
        assert_eq!(arguments, expected);
    }
}
