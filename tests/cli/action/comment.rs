//! The comment on the pull request.

use serde_json::{Value, json};

use super::job::Job;
use crate::{stderr, stdout};

const MARKER: &str = "<!-- seckill: seckill -->";

fn body(comment: &Value) -> &str {
    comment["body"].as_str().unwrap()
}

#[test]
fn second_run_updates_the_comment_of_the_first() {
    let Some(job) = Job::new() else { return };
    let of = |id: u64, kind: &str, association: &str, body: String| {
        let user = json!({"type": kind});
        json!({"id": id, "user": user, "author_association": association, "body": body})
    };
    let others = json!([
        of(1, "User", "CONTRIBUTOR", format!("{MARKER}\nwritten by somebody else")),
        of(2, "User", "OWNER", format!("see {MARKER}")),
        of(3, "Bot", "NONE", "<!-- seckill: another -->\nof another job".into()),
        of(4, "Bot", "NONE", String::new()),
    ]);
    job.write("comments.json", &others.to_string());
    for text in ["the first run", "the second run"] {
        job.write("workspace/run/summary.md", text);
        let output = job.comment("0");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
        let comments = job.comments();
        assert_eq!(json!(comments[..4]), others);
        assert_eq!(comments.len(), 5, "{comments:#?}");
        let links = "[Job](https://github.com/owner/shop/actions/runs/42) · [report and recorded \
                     run](https://github.com/owner/shop/actions/runs/42/artifacts/5)";
        let expected = format!("{MARKER}\n{text}\n\nExit code 0 · {links}\n");
        assert_eq!(body(&comments[4]), expected);
    }
    let changes: Vec<_> = job.calls().into_iter().filter(|call| call.contains(" -F ")).collect();
    let path = "github.com api --method POST repos/owner/shop/issues/7/comments -F body=@";
    assert!(changes[0].starts_with(path), "{changes:?}");
    let path = "github.com api --method PATCH repos/owner/shop/issues/comments/1004 -F body=@";
    assert!(changes[1].starts_with(path), "{changes:?}");
    assert_eq!(changes.len(), 2);
}

#[test]
fn comment_of_a_member_with_the_marker_is_updated() {
    let Some(job) = Job::new() else { return };
    let comment = json!({"id": 9, "user": {"type": "User"}, "author_association": "MEMBER",
        "body": format!("{MARKER}\r\nby a token of this person")});
    job.write("comments.json", &json!([comment]).to_string());
    job.comment("0");
    assert_eq!(job.comments().len(), 1);
    assert!(body(&job.comments()[0]).contains("Exit code 0"));
}

#[test]
fn token_without_the_right_to_comment_is_a_warning() {
    let Some(job) = Job::new() else { return };
    job.write("forbidden", "");
    let output = job.comment("3");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("::warning title=seckill::the comment on the pull"), "{text}");
    for part in ["(HTTP 403)%0A", "pull-requests: write", "from a fork"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(job.comments(), [] as [Value; 0]);
}

#[test]
fn answer_that_is_no_list_is_a_warning() {
    let Some(job) = Job::new() else { return };
    job.write("comments.json", "<html>");
    let output = job.comment("0");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("::warning "), "{}", stdout(&output));
    assert_eq!(job.calls().len(), 1, "{:?}", job.calls());
}

#[test]
fn long_summary_is_cut_after_a_line() {
    let Some(job) = Job::new() else { return };
    let line = format!("| {} |\n", "售".repeat(96));
    job.write("workspace/run/summary.md", &line.repeat(1_000));
    job.comment("99");
    let comments = job.comments();
    let body = body(&comments[0]);
    let length = body.encode_utf16().count();
    assert!((59_000..65_536).contains(&length), "{length} characters");
    let (rows, rest) = body.split_once("\n\n").unwrap();
    assert!(rows.lines().skip(1).all(|row| row == line.trim_end()), "a row was cut");
    assert!(rest.starts_with("The summary is too long for a comment"), "{rest}");
    assert!(rest.contains("\n\nExit code 99 · [Job]"), "{rest}");
}

#[test]
fn run_for_no_pull_request_writes_no_comment() {
    let Some(job) = Job::new() else { return };
    job.write("event.json", r#"{"ref": "refs/heads/main"}"#);
    let output = job.comment("0");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(job.calls(), [""; 0]);
}

#[test]
fn name_that_would_end_the_marker_is_refused() {
    let Some(job) = Job::new() else { return };
    let inputs = [("INPUT_NAME", "a --> b"), ("EXIT_CODE", "0"), ("ARTIFACT_URL", "")];
    let output = job.step(&["comment.sh"], &inputs);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("::warning "), "{}", stdout(&output));
    assert_eq!(job.calls(), [""; 0]);
}
