//! The path of a file without links, also of one that does not exist yet.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf, absolute};

/// Links that are followed in one path, as many as Linux follows.
const LINKS_MAX: usize = 40;

/// The path without links, `.` and `..`. What does not exist yet counts as a file or a folder that
/// will be made there, and a link to it leads to it.
pub(super) fn real_path(path: &Path) -> PathBuf {
    let path = absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut real = PathBuf::new();
    let mut rest = VecDeque::new();
    put_first(&mut rest, &path);
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        match Path::new(&part).components().next() {
            Some(Component::ParentDir) => {
                real.pop();
            }
            Some(Component::Normal(name)) => {
                let next = real.join(name);
                match fs::read_link(&next) {
                    Ok(target) if links < LINKS_MAX => {
                        links += 1;
                        put_first(&mut rest, &target);
                    }
                    _ => real = next,
                }
            }
            // The root, with which an absolute path and the target of an absolute link begin.
            Some(Component::RootDir | Component::Prefix(_)) => real.push(&part),
            Some(Component::CurDir) | None => {}
        }
    }
    real
}

/// Puts the parts of a path before those that are left.
fn put_first(rest: &mut VecDeque<OsString>, path: &Path) {
    for part in path.components().rev() {
        rest.push_front(part.as_os_str().to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn paths_to_one_file_are_the_same_before_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        fs::create_dir_all(folder.join("made/deep")).unwrap();
        symlink("made/deep", folder.join("alias")).unwrap();
        symlink(folder.join("new/file"), folder.join("absolute")).unwrap();
        symlink("../../new/file", folder.join("made/deep/relative")).unwrap();
        symlink("absolute", folder.join("second")).unwrap();
        for (path, expected) in [
            ("new/file", "new/file"),
            ("./new/./file", "new/file"),
            ("new/../new/file", "new/file"),
            ("made/../new//file", "new/file"),
            ("alias/new", "made/deep/new"),
            // The folder above the target, not the one that has the link.
            ("alias/../new", "made/new"),
            ("absolute", "new/file"),
            ("alias/relative", "new/file"),
            ("second", "new/file"),
            ("new", "new"),
        ] {
            assert_eq!(real_path(&folder.join(path)), folder.join(expected), "{path}");
        }
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(real_path(Path::new("./new/../run.json")), here.join("run.json"));
    }

    #[test]
    fn links_that_lead_to_each_other_come_to_an_end() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        symlink("two", folder.join("one")).unwrap();
        symlink("one", folder.join("two")).unwrap();
        assert_eq!(real_path(&folder.join("one")).parent(), Some(folder.as_path()));
    }
}
