//! Checks of the flags of `seckill sut init`, by the reader of descriptions.

use anyhow::Context;

use crate::sut::{Description, DescriptionError, Setting, Target};

use super::Failure;
use super::args::SutInitArgs;

/// Checks each flag, in a description that has nothing else.
///
/// # Errors
/// The first flag with which a description could not be read.
pub(super) fn check(args: &SutInitArgs) -> Result<(), Failure> {
    let wrong = |flag, problem| Failure::Usage(format!("--{flag}: {problem}"));
    Target::check(&args.target).map_err(|error| wrong("target", error.problem))?;
    let request = |text: &String| (with_values(text), 201);
    let status = |status: u16| ("POST /orders".to_owned(), status);
    for (flag, given, example) in [
        ("login", args.login.as_ref().map(request), "POST /login"),
        ("purchase", Some(request(&args.purchase)), "POST /orders"),
        ("result", args.result.as_ref().map(request), "GET /orders/{{request_id}}"),
        ("won", Some(status(args.won)), "201"),
        ("accepted", args.accepted.map(status), "202"),
        ("sold-out", Some(status(args.sold_out)), "409"),
    ] {
        if let Some(problem) = given.map(problem).transpose()?.flatten() {
            return Err(wrong(flag, format!("{problem}, such as {example}")));
        }
    }
    Ok(())
}

/// Why there is no description with this request and this status, if there is none.
fn problem((request, status): (String, u16)) -> Result<Option<String>, Failure> {
    let request = toml::Value::String(request);
    let outcome = format!("[[outcome]]\nstatus = {status}\nis = \"won\"\n");
    let file = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
    std::fs::write(file.path(), format!("[purchase]\nrequest = {request}\n{outcome}"))
        .context("cannot write a temporary file")?;
    let setting = Setting { item: None, seed: 0, repeats: false, accounts: None };
    match Description::read(file.path(), setting) {
        Ok(_) => Ok(None),
        Err(DescriptionError::Content { problem, .. }) => Ok(Some(problem)),
        Err(error) => Err(error.into()),
    }
}

/// A request with values in its placeholders. Whether there are such values is for `sut check` to
/// say, when the description is complete.
fn with_values(request: &str) -> String {
    let mut parts = request.split("{{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once("}}") {
        Some((_, rest)) => text + "x" + rest,
        None => text + "{{" + part,
    })
}
