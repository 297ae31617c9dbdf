//! The paths that a source mentions, such as `crate::ids::ItemId`, in `use` and elsewhere. This
//! works on tokens, so that the arguments of macros count too, and comments and strings do not.

use std::iter::Peekable;
use std::slice::Iter;

use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};

/// A path as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    /// The inline modules around it, outermost first.
    pub(crate) inside: Vec<String>,
    /// Its names, at least one; the last is `*` for a glob.
    pub(crate) names: Vec<String>,
    pub(crate) line: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A `use` at the top of the file or of an inline module, which binds this name there.
    Use { name: String, is_public: bool },
    /// In any other code.
    Code,
}

/// All paths that a source mentions; single names too, which a `use` may have bound.
pub(crate) fn mentions(text: &str) -> Vec<Mention> {
    let mut scan = Scan { inside: Vec::new(), found: Vec::new() };
    scan.tokens(text.parse().unwrap(), true);
    scan.found
}

type Tokens<'a> = Peekable<Iter<'a, TokenTree>>;

struct Scan {
    /// The inline modules around the present token.
    inside: Vec<String>,
    found: Vec<Mention>,
}

impl Scan {
    /// `at_top` says whether these tokens are items of the file or of an inline module.
    fn tokens(&mut self, tokens: TokenStream, at_top: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = tokens.iter().peekable();
        let (mut module, mut is_public) = (None, false);
        while let Some(token) = rest.next() {
            let was_public = std::mem::take(&mut is_public);
            match token {
                TokenTree::Ident(word) if word == "pub" => {
                    is_public = true;
                    rest.next_if(|next| is_group(next, Delimiter::Parenthesis));
                }
                TokenTree::Ident(word) if word == "mod" => module = rest.next(),
                TokenTree::Ident(word) if word == "use" => {
                    let mut uses = Vec::new();
                    use_tree(&mut rest, Vec::new(), &mut uses);
                    for (names, name) in uses {
                        let used = Kind::Use { name, is_public: was_public };
                        self.add(word, names, if at_top { used } else { Kind::Code });
                    }
                }
                TokenTree::Ident(word) => {
                    let names = path(word, &mut rest);
                    self.add(word, names, Kind::Code);
                }
                TokenTree::Group(group) => match module.take() {
                    Some(name) => {
                        self.inside.push(name.to_string());
                        self.tokens(group.stream(), at_top);
                        self.inside.pop();
                    }
                    None => self.tokens(group.stream(), false),
                },
                TokenTree::Punct(sign) if sign.as_char() == ';' => module = None,
                // What follows a dot, or colons as in `<A as B>::c`, is no path of its own.
                TokenTree::Punct(sign) => {
                    let is_dot = sign.as_char() == '.';
                    if is_dot || is_colon(token) && rest.next_if(|next| is_colon(next)).is_some() {
                        rest.next_if(|next| matches!(next, TokenTree::Ident(_)));
                    }
                }
                TokenTree::Literal(_) => {}
            }
        }
    }

    fn add(&mut self, first: &Ident, names: Vec<String>, kind: Kind) {
        let (inside, line) = (self.inside.clone(), first.span().start().line);
        self.found.push(Mention { inside, names, line, kind });
    }
}

/// The names of the path that begins with `first`.
fn path(first: &Ident, rest: &mut Tokens<'_>) -> Vec<String> {
    let mut names = vec![first.to_string()];
    while rest.next_if(|token| is_colon(token) && is_joined(token)).is_some() {
        rest.next_if(|token| is_colon(token));
        let Some(TokenTree::Ident(next)) = rest.peek() else { break };
        names.push(next.to_string());
        rest.next();
    }
    names
}

/// One tree of a `use` up to its end: each path in it with the name that it binds.
fn use_tree(rest: &mut Tokens<'_>, prefix: Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let (mut names, mut bound) = (prefix, None);
    while let Some(token) = rest.next() {
        match token {
            TokenTree::Ident(word) if word == "as" => bound = rest.next().map(ToString::to_string),
            TokenTree::Ident(word) if word == "self" && !names.is_empty() => {}
            TokenTree::Ident(word) => names.push(word.to_string()),
            TokenTree::Punct(sign) if sign.as_char() == '*' => names.push("*".into()),
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let mut inner = inner.iter().peekable();
                while inner.peek().is_some() {
                    use_tree(&mut inner, names.clone(), found);
                }
                names.clear();
            }
            TokenTree::Punct(sign) if [',', ';'].contains(&sign.as_char()) => break,
            _ => {}
        }
    }
    if let Some(last) = names.last() {
        let bound = bound.unwrap_or_else(|| last.clone());
        found.push((names, bound));
    }
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// Whether the next sign follows at once, as after the first colon of `a::b` and unlike `a: b`.
fn is_joined(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(sign) if sign.spacing() == Spacing::Joint)
}

fn is_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(sign) if sign.as_char() == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each path of two or more names in a source, behind the inline modules around it.
    fn paths(text: &str) -> Vec<String> {
        let path = |m: &Mention| [&m.inside[..], &m.names].concat().join("::");
        mentions(text).iter().filter(|m| m.names.len() > 1).map(path).collect()
    }

    #[test]
    fn names_after_a_dot_or_type_are_not_paths() {
        let found = mentions("B { c: <D as E>::f().g(h) }");
        let names: Vec<_> = found.iter().flat_map(|m| &m.names).collect();
        assert_eq!(names, ["B", "c", "D", "as", "E", "h"]);
    }

    #[test]
    fn paths_are_found_however_they_are_written() {
        for (text, expected) in [
            ("use crate::ids::ItemId;", vec!["crate::ids::ItemId"]),
            (
                "use crate::{a, b::{self, B as C}, d::*};",
                vec!["crate::a", "crate::b", "crate::b::B", "crate::d::*"],
            ),
            ("pub(crate) fn f() -> crate::sale::Id { g() }", vec!["crate::sale::Id"]),
            ("fn f() { crate :: a :: f::<super::b::C>() }", vec!["crate::a::f", "super::b::C"]),
            ("mod tests { use super::super::a; }", vec!["tests::super::super::a"]),
            ("mod a; fn f() { a::g() }", vec!["a::g"]),
            ("mod a { mod b { fn f() { c::g() } } }", vec!["a::b::c::g"]),
            ("macro_rules! m { () => { $crate::a::f() } }", vec!["crate::a::f"]),
            ("fn f() { assert!(crate::a::B, \"{}\", c::d()) }", vec!["crate::a::B", "c::d"]),
            ("fn f<'a>(a: &'a str) -> char { '\"'; crate::a::f(a) }", vec!["crate::a::f"]),
        ] {
            assert_eq!(paths(text), expected, "{text}");
        }
    }

    #[test]
    fn comments_strings_and_single_names_are_no_paths() {
        for text in [
            "//! Of [`crate::server`].\n",
            "/// Of [`crate::server`].\nfn f() {}",
            "/* use crate::server;\n /* */ use crate::server; */",
            "const S: &str = \"crate::server\"; const R: &str = r#\"\"crate::server\"#;",
            "#[serde(with = \"crate::server\")] struct S;",
            "fn f() { <A as B>::c(); a.b(); let x: u8 = 1; }",
        ] {
            assert_eq!(paths(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_use_binds_names_at_the_top_alone() {
        let kinds = |text: &str| {
            let paths = mentions(text).into_iter().filter(|m| m.names.len() > 1);
            paths.map(|m| m.kind).collect::<Vec<_>>()
        };
        let used = |name: &str, is_public| Kind::Use { name: name.into(), is_public };
        assert_eq!(kinds("use a::{B, c as d};"), [used("B", false), used("d", false)]);
        assert_eq!(kinds("pub use a::B; use c::D;"), [used("B", true), used("D", false)]);
        assert_eq!(kinds("pub(in crate::x) use a::B;"), [used("B", true)]);
        assert_eq!(kinds("fn f() { use a::B; }"), [Kind::Code]);
    }

    #[test]
    fn lines_are_counted_from_one() {
        let found = mentions("\n\nuse a::b;\n(\n    c,\n)");
        assert_eq!(found.iter().map(|m| m.line).collect::<Vec<_>>(), [3, 5]);
    }
}
