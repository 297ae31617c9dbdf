//! What an operator, or a fault, can do to a running broker: Erlang code that it evaluates.

use std::process::Command;

use seckill::lab::RabbitMq;

/// The script that Debian's one on PATH calls after it has changed the user.
const RABBITMQCTL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";

/// Evaluates Erlang code in a broker and returns what it prints.
#[track_caller]
pub(crate) fn eval(broker: &RabbitMq, code: &str) -> String {
    let (service, ports) = (broker.service(), broker.service().ports());
    let mut command = Command::new(RABBITMQCTL);
    command.args(["--quiet", "--timeout", "60", "eval", code]);
    // Its folder has the cookie that authorises the caller.
    command.env("HOME", service.folder());
    command.env("RABBITMQ_CONF_ENV_FILE", service.folder().join("env.conf"));
    command.env("RABBITMQ_NODENAME", format!("sk{}@localhost", ports[0]));
    command.env("ERL_EPMD_PORT", ports[3].to_string());
    let output = command.output().unwrap();
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{code}: {out}{err}");
    out.into_owned()
}

/// Raises the alarm of a broker that is short of memory: it blocks its publishers.
pub(crate) fn raise_memory_alarm(broker: &RabbitMq) {
    eval(broker, "vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1000000}).");
}

/// Ends the alarm.
pub(crate) fn clear_memory_alarm(broker: &RabbitMq) {
    eval(broker, "vm_memory_monitor:set_vm_memory_high_watermark({absolute, 512000000}).");
}

/// Closes all connections this many times, with pauses in which clients can reconnect.
pub(crate) fn close_connections(broker: &RabbitMq, times: usize) {
    eval(
        broker,
        &format!(
            "lists:foreach(fun(_) -> timer:sleep(500), rabbit_networking:close_connections(\
             rabbit_networking:connections(), <<\"test\">>) end, lists:seq(1, {times}))."
        ),
    );
}

/// Kills the process of a classic queue. The broker starts another, which recovers the queue.
pub(crate) fn kill_queue(broker: &RabbitMq, queue: &str) {
    eval(
        broker,
        &format!(
            "{{ok, Q}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<\"/\">>, queue, <<\"{queue}\">>)), \
             exit(amqqueue:get_pid(Q), kill)."
        ),
    );
}
