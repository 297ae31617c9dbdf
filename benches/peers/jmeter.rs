//! JMeter without its GUI: the plan, the command line, and the parsing of its output.

use super::BODY;
use super::tools::{Load, Reported};

/// It runs longer than the others: the JVM takes 10 to 20 s to compile the hot code.
const SECONDS: u64 = 30;

/// No results are written; a line is printed every 6 s, which is the shortest interval. Connections
/// are kept between iterations, as with all other tools: versions from 5.0 on close them by
/// default.
pub(crate) const ARGS: [&str; 9] = [
    "-n",
    "-t",
    "plan.jmx",
    "-j",
    "jmeter.log",
    "-Jsummariser.name=summary",
    "-Jsummariser.interval=6",
    "-Jhttpclient.reset_state_on_thread_group_iteration=false",
    "-Jbeanshell.init.file=start.bsh",
];

/// Debian has version 2.13 with a newer XStream, which by default rejects the classes of JMeter, so
/// that no plan can be loaded. JMeter runs this script after the failed attempt: it allows these
/// classes and loads the plan again. Other versions do not need it.
const START: &str = r#"
if (org.apache.jmeter.util.JMeterUtils.getJMeterVersion().startsWith("2.13")) {
    field = org.apache.jmeter.save.SaveService.class.getDeclaredField("JMXSAVER");
    field.setAccessible(true);
    saver = field.get(null);
    saver.allowTypesByWildcard(new String[] { "org.apache.**" });
    refusals = com.thoughtworks.xstream.mapper.CachingMapper.class;
    saver.getMapper().lookupMapperOfType(refusals).flushCache();
    Class[] types = new Class[] { String.class, String.class, boolean.class, String.class };
    run = org.apache.jmeter.JMeter.class.getDeclaredMethod("runNonGui", types);
    run.setAccessible(true);
    run.invoke(new org.apache.jmeter.JMeter(), new Object[] { "plan.jmx", null, false, null });
}
"#;

/// The test plan, with placeholders such as `@NAME@`.
const PLAN: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<jmeterTestPlan version="1.2" properties="2.8">
<hashTree>
<TestPlan guiclass="TestPlanGui" testclass="TestPlan" testname="sale"/>
<hashTree>
<ThreadGroup guiclass="ThreadGroupGui" testclass="ThreadGroup" testname="buyers">
<stringProp name="ThreadGroup.on_sample_error">continue</stringProp>
<stringProp name="ThreadGroup.num_threads">@THREADS@</stringProp>
<stringProp name="ThreadGroup.ramp_time">0</stringProp>
<boolProp name="ThreadGroup.scheduler">true</boolProp>
<stringProp name="ThreadGroup.duration">@SECONDS@</stringProp>
<elementProp name="ThreadGroup.main_controller" elementType="LoopController"
  guiclass="LoopControlPanel" testclass="LoopController">
<boolProp name="LoopController.continue_forever">false</boolProp>
<intProp name="LoopController.loops">-1</intProp>
</elementProp>
</ThreadGroup>
<hashTree>
<HeaderManager guiclass="HeaderPanel" testclass="HeaderManager" testname="headers">
<collectionProp name="HeaderManager.headers">
<elementProp name="" elementType="Header">
<stringProp name="Header.name">Content-Type</stringProp>
<stringProp name="Header.value">application/json</stringProp>
</elementProp>
</collectionProp>
</HeaderManager>
<hashTree/>
<HTTPSamplerProxy guiclass="HttpTestSampleGui" testclass="HTTPSamplerProxy" testname="attempt">
<boolProp name="HTTPSampler.postBodyRaw">true</boolProp>
<elementProp name="HTTPsampler.Arguments" elementType="Arguments">
<collectionProp name="Arguments.arguments">
<elementProp name="" elementType="HTTPArgument">
<boolProp name="HTTPArgument.always_encode">false</boolProp>
<stringProp name="Argument.value">@BODY@</stringProp>
<stringProp name="Argument.metadata">=</stringProp>
</elementProp>
</collectionProp>
</elementProp>
<stringProp name="HTTPSampler.domain">@NAME@</stringProp>
<stringProp name="HTTPSampler.port">@PORT@</stringProp>
<stringProp name="HTTPSampler.protocol">http</stringProp>
<stringProp name="HTTPSampler.path">/seckill</stringProp>
<stringProp name="HTTPSampler.method">POST</stringProp>
<boolProp name="HTTPSampler.use_keepalive">true</boolProp>
<stringProp name="HTTPSampler.implementation">HttpClient4</stringProp>
</HTTPSamplerProxy>
<hashTree/>
</hashTree>
</hashTree>
</hashTree>
</jmeterTestPlan>
"#;

/// Writes the files that [`ARGS`] names.
pub(crate) fn write_files(load: &Load<'_>) {
    let (name, port) = load.url.strip_prefix("http://").unwrap().split_once(':').unwrap();
    let plan = PLAN
        .replace("@THREADS@", &load.connections.to_string())
        .replace("@SECONDS@", &SECONDS.to_string())
        .replace("@BODY@", BODY)
        .replace("@NAME@", name)
        .replace("@PORT@", port);
    std::fs::write(load.folder.join("plan.jmx"), plan).unwrap();
    std::fs::write(load.folder.join("start.bsh"), START).unwrap();
}

/// Parses `summary +  10414 in   6s = 2028.8/s Avg: …` for the time since the last such line,
/// `summary =  20828 in  12s = 1943.1/s Avg: …` for the whole run.
///
/// The rate is that of the last complete interval, when the JVM is warm: the mean over a short run
/// is less than half of it, which would be unfair to JMeter.
pub(crate) fn read(stdout: &str) -> Option<Reported> {
    let lines = |begin| stdout.lines().rev().filter_map(move |line| line.strip_prefix(begin));
    let requests = lines("summary =").next()?.split_whitespace().next()?.parse().ok()?;
    // The last interval is incomplete, because it ends with the run.
    let (_, rate) = lines("summary +").nth(1)?.split_once('=')?;
    let per_second = rate.split('/').next()?.trim().parse().ok()?;
    Some(Reported { requests, per_second, median_us: None })
}
