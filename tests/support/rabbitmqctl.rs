//! What an operator, or a fault, can do to a running broker: Erlang code that it evaluates.

use std::process::Command;

use seckill::lab::RabbitMq;

/// The script that Debian's one on PATH calls after it has changed the user.
const RABBITMQCTL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";

/// Evaluates Erlang code in a broker and returns what it prints.
#[track_caller]
pub(crate) fn eval(broker: &RabbitMq, code: &str) -> String {
    let service = broker.service();
    let mut command = Command::new(RABBITMQCTL);
    command.args(["--quiet", "--timeout", "60", "eval", code]);
    // Its folder has the cookie that authorises the caller.
    command.env("HOME", service.folder());
    command.env("RABBITMQ_CONF_ENV_FILE", service.folder().join("env.conf"));
    command.env("RABBITMQ_NODENAME", broker.node());
    command.env("ERL_EPMD_PORT", broker.epmd_port().to_string());
    let output = command.output().unwrap();
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{code}: {out}{err}");
    out.into_owned()
}

/// What a broker is short of when it blocks its publishers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Alarm {
    Memory,
    Disk,
}

/// Raises an alarm: the broker blocks its publishers.
pub(crate) fn raise_alarm(broker: &RabbitMq, alarm: Alarm) {
    set_limit(broker, alarm, 1_000_000, 1 << 60);
}

/// Ends an alarm.
pub(crate) fn clear_alarm(broker: &RabbitMq, alarm: Alarm) {
    set_limit(broker, alarm, 512_000_000, 50_000_000);
}

/// Sets the most memory, or the least free disk, without an alarm, in bytes.
fn set_limit(broker: &RabbitMq, alarm: Alarm, memory_max: u64, disk_min: u64) {
    let code = match alarm {
        Alarm::Memory => {
            format!("vm_memory_monitor:set_vm_memory_high_watermark({{absolute, {memory_max}}}).")
        }
        Alarm::Disk => format!("rabbit_disk_monitor:set_disk_free_limit({disk_min})."),
    };
    eval(broker, &code);
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

/// Has a broker write its tables to the disk. It does so by itself within three minutes; a quorum
/// queue that was declared since has no leader after the broker was killed.
pub(crate) fn sync_tables(broker: &RabbitMq) {
    eval(broker, "lists:foreach(fun dets:sync/1, dets:all()).");
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
