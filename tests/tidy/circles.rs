//! Circles: no file depends on a file of the same module that depends, by whatever way, on it.
//!
//! A file depends on the files to which its paths lead. A `mod.rs` does not depend on what it
//! re-exports from its own folder, unless its own code names it; a file that imports a re-export
//! depends on the file that defines it.

use std::collections::VecDeque;

use crate::crate_map::CrateMap;

/// The files that a file depends on, each with the first line that says so.
type Edges = Vec<(usize, usize)>;

/// The shortest circle through each file that is in one, each circle once.
pub(crate) fn circles(map: &CrateMap) -> Vec<String> {
    let edges: Vec<Edges> = (0..map.files.len()).map(|at| edges(map, at)).collect();
    let mut known: Vec<Vec<usize>> = Vec::new();
    let mut found = Vec::new();
    for start in 0..edges.len() {
        let Some(circle) = shortest_circle(&edges, start) else { continue };
        let mut members = circle.clone();
        members.sort_unstable();
        if !known.contains(&members) {
            found.push(describe(map, &edges, &circle));
            known.push(members);
        }
    }
    found
}

fn edges(map: &CrateMap, from: usize) -> Edges {
    let file = &map.files[from];
    let mut edges = Edges::new();
    for mention in &file.mentions {
        let path = map.absolute(file, mention).filter(|_| !map.is_own_re_export(file, mention));
        let Some(to) = path.and_then(|path| map.file_of(&path)) else { continue };
        let is_new = to != from && !edges.iter().any(|(known, _)| *known == to);
        if is_new && map.files[to].top() == file.top() {
            edges.push((to, mention.line));
        }
    }
    edges
}

/// The files of the shortest way from a file back to it.
fn shortest_circle(edges: &[Edges], start: usize) -> Option<Vec<usize>> {
    let mut before = vec![None; edges.len()];
    let mut waiting = VecDeque::from([start]);
    while let Some(from) = waiting.pop_front() {
        for (to, _) in &edges[from] {
            if *to == start {
                let mut circle = vec![from];
                while let Some(file) = before[circle[circle.len() - 1]] {
                    circle.push(file);
                }
                circle.reverse();
                return Some(circle);
            }
            if before[*to].is_none() {
                before[*to] = Some(from);
                waiting.push_back(*to);
            }
        }
    }
    None
}

fn describe(map: &CrateMap, edges: &[Edges], circle: &[usize]) -> String {
    let step = |(from, to): (&usize, &usize)| {
        let line = edges[*from].iter().find(|(file, _)| file == to).map_or(0, |(_, line)| *line);
        format!("{}:{line} -> ", map.files[*from].path)
    };
    let next = circle.iter().cycle().skip(1);
    let steps: String = circle.iter().zip(next).map(step).collect();
    format!("circle: {steps}{}", map.files[circle[0]].path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crate_map::tests::map;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        circles(&map(files))
    }

    #[test]
    fn files_that_use_each_other_are_a_circle() {
        let files = [("src/a/b.rs", "\nuse super::c;"), ("src/a/c.rs", "use crate::a::b::B;")];
        assert_eq!(found(&files), ["circle: src/a/b.rs:2 -> src/a/c.rs:1 -> src/a/b.rs"]);
    }

    #[test]
    fn circles_through_re_exports_and_over_several_files_are_found() {
        let folder = ("src/a/mod.rs", "mod b; mod c; mod d; pub use b::B; pub use d::D;");
        let (b, c, d) = ("use super::c::C;", "use super::D;", "fn f() { super::B::new() }");
        let files = [folder, ("src/a/b.rs", b), ("src/a/c.rs", c), ("src/a/d.rs", d)];
        let expected = "circle: src/a/b.rs:1 -> src/a/c.rs:1 -> src/a/d.rs:1 -> src/a/b.rs";
        assert_eq!(found(&files), [expected]);
        let nested = [
            ("src/a/b/mod.rs", "mod c; use super::D;"),
            ("src/a/b/c.rs", "fn f() { super::super::d::D }"),
            ("src/a/mod.rs", "pub use d::D;"),
            ("src/a/d.rs", "use super::b::c;"),
        ];
        assert_eq!(found(&nested), ["circle: src/a/b/c.rs:1 -> src/a/d.rs:1 -> src/a/b/c.rs"]);
    }

    #[test]
    fn items_of_a_mod_rs_count_and_its_re_exports_do_not() {
        let own = ("src/a/mod.rs", "mod b; pub struct Own { b: b::B }");
        let user = ("src/a/b.rs", "use super::Own;");
        assert_eq!(found(&[own, user]).len(), 1);
        let re_exporting = ("src/a/mod.rs", "mod b; pub(crate) use b::B; pub struct Own;");
        assert_eq!(found(&[re_exporting, user]), [""; 0]);
        let naming = ("src/a/mod.rs", "mod b; pub(crate) use b::B; pub struct Own(B);");
        assert_eq!(found(&[naming, user]).len(), 1);
        let private = ("src/a/mod.rs", "mod b; use b::B; pub struct Own;");
        assert_eq!(found(&[private, user]).len(), 1);
    }

    #[test]
    fn chains_tests_of_a_file_and_other_modules_are_no_circles() {
        let chain = [
            ("src/a/mod.rs", "mod b; mod c; pub use c::C; fn f(_: C) { b::f() }"),
            ("src/a/b.rs", "use super::C; mod tests { use super::*; }"),
            ("src/a/c.rs", "// super::b\nuse std::fmt::Debug;"),
        ];
        assert_eq!(found(&chain), [""; 0]);
        // Between modules it is the floors that forbid circles.
        assert_eq!(found(&[("src/a.rs", "use crate::b;"), ("src/b.rs", "use crate::a;")]), [""; 0]);
    }
}
