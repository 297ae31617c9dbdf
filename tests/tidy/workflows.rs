//! Rules about `action.yml` and workflows. They read lines, since each file is written in the same
//! simple way: keys of two more columns for each level, and one step after the other.

use std::collections::BTreeSet;

/// A step, or the head of a file before its first step, as its lines.
type Step<'a> = Vec<&'a str>;

/// Expressions within `run`, whose values would be executed.
pub(crate) fn expressions_in_run(path: &str, text: &str) -> Vec<String> {
    let mut offences = Vec::new();
    // The column of the key `run` whose block the line belongs to.
    let mut block: Option<usize> = None;
    for (at, line) in text.lines().enumerate() {
        let column = line.len() - line.trim_start_matches([' ', '-']).len();
        if block.is_some_and(|key| column <= key && !line.trim().is_empty()) {
            block = None;
        }
        let (key, _) = line.split_once(':').unwrap_or((line, ""));
        if key.trim_start().trim_start_matches("- ") == "run" {
            block = Some(column);
        }
        if block.is_some() && line.contains("${{") {
            offences.push(format!("{path}:{}: an expression within run", at + 1));
        }
    }
    offences
}

/// The keys of a section of the first level, such as `inputs` of an action.
pub(crate) fn keys<'a>(text: &'a str, section: &str) -> BTreeSet<&'a str> {
    let lines = text.lines().skip_while(|line| *line != format!("{section}:")).skip(1);
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    let keys = lines.filter_map(|line| line.strip_prefix("  "));
    keys.filter(|line| !line.starts_with([' ', '#'])).filter_map(|l| l.strip_suffix(':')).collect()
}

/// The names that follow a context, such as `inputs.`, in expressions.
pub(crate) fn used<'a>(text: &'a str, context: &str) -> BTreeSet<&'a str> {
    let is_end = |c: char| !c.is_ascii_alphanumeric() && !['-', '_'].contains(&c);
    let parts = text.split(context).skip(1);
    parts.map(|rest| rest.split(is_end).next().unwrap_or_default()).collect()
}

/// Steps that an expression refers to and that do not exist.
pub(crate) fn unknown_steps(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| line.trim().trim_start_matches("- "));
    let ids = lines.filter_map(|line| line.strip_prefix("id: ")).collect();
    used(text, "steps.").difference(&ids).map(|id| format!("{path}: no step {id}")).collect()
}

/// The steps of a file.
pub(crate) fn steps(text: &str) -> Vec<Step<'_>> {
    let mut steps = vec![Vec::new()];
    for line in text.lines() {
        let words = line.trim_start();
        if ["- name:", "- uses:", "- run:", "- id:"].iter().any(|key| words.starts_with(key)) {
            steps.push(Vec::new());
        }
        steps.last_mut().unwrap().push(line);
    }
    steps
}

/// The keys below this key of a step, such as `env` or `with`, on lines of their own or in braces.
pub(crate) fn below<'a>(step: &Step<'a>, key: &str) -> BTreeSet<&'a str> {
    let braces = format!("{key}: {{");
    if let Some(inner) = step.iter().find_map(|line| line.trim().strip_prefix(&braces)) {
        return inner
            .split(',')
            .filter_map(|pair| pair.trim().split_once(": "))
            .map(|p| p.0)
            .collect();
    }
    let indent = |line: &str| line.len() - line.trim_start().len();
    let head = format!("{key}:");
    let mut rest = step.iter().skip_while(|line| line.trim() != head);
    let Some(first) = rest.next() else { return BTreeSet::new() };
    let lines = rest.take_while(|line| indent(line) > indent(first));
    let keys = lines.filter(|line| indent(line) == indent(first) + 2 && !line.contains('#'));
    keys.filter_map(|line| line.trim().split_once(':')).map(|(key, _)| key).collect()
}

/// Variables in capitals that a script reads, without those of the runner and of the shell.
pub(crate) fn variables(script: &str) -> BTreeSet<&str> {
    let lines = script.lines().filter(|line| !line.trim_start().starts_with('#'));
    let names = lines.flat_map(|line| line.split('$').skip(1)).map(|rest| {
        let rest = rest.trim_start_matches(['{', '#']);
        let is_end = |c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_';
        rest.split(is_end).next().unwrap_or_default()
    });
    let given = |name: &str| ["GITHUB_", "RUNNER_", "CARGO_"].iter().any(|p| name.starts_with(p));
    names.filter(|name| name.len() > 2 && !given(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: &str = "
runs:
  steps:
    - name: a
      id: a
      env:
        X: ${{ steps.a.outputs.b }}
        Y: z
      run: echo $X
    - run: |
        echo a

        echo ${{ inputs.a-b }}
      with:
        k: ${{ steps.none.outputs.c }}
    - run: echo ${{ inputs.c }}
      env: { V: 1, W: 2 }
";

    #[test]
    fn expressions_are_found_in_lines_and_blocks() {
        let expected = [13, 16].map(|line| format!("f:{line}: an expression within run"));
        assert_eq!(expressions_in_run("f", STEPS), expected);
    }

    #[test]
    fn names_are_found() {
        let action = "inputs:\n  a-b:\n    default: ''\n\n  c:\n# d\nruns:\n  e:\n";
        assert_eq!(keys(action, "inputs"), ["a-b", "c"].into());
        assert_eq!(used(STEPS, "inputs."), ["a-b", "c"].into());
        assert_eq!(unknown_steps("f", STEPS), ["f: no step none"]);
        let steps = steps(STEPS);
        assert_eq!(steps.len(), 4);
        assert_eq!(below(&steps[1], "env"), ["X", "Y"].into());
        assert_eq!(below(&steps[2], "with"), ["k"].into());
        assert_eq!(below(&steps[3], "env"), ["V", "W"].into());
        let script = "# $NOT\necho \"$ONE\" ${#TWO} ${THREE:-x} $GITHUB_PATH $1 $lower";
        assert_eq!(variables(script), ["ONE", "THREE", "TWO"].into());
    }
}
