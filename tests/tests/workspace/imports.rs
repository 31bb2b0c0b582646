//! No module imports in a circle: each can be read, and moved, without those that use it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The crates in which a module knows those below it and never the one that it is a part of. In the others, a module and
/// its parts count as one.
const STRICT: &[&str] = &["cli", "demo", "display", "lifeboat"];

/// A module, such as `["commands", "run"]`; the root of the crate is empty.
type Module = Vec<String>;

/// Which modules each module imports.
type Imports = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_module_imports_in_a_circle() {
    let circles: Vec<_> = crates().iter().filter_map(|folder| circle_of(folder)).collect();
    assert!(circles.is_empty(), "these import in a circle:\n{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found() {
    let texts = [("a", "use crate::b::{self, c::D};"), ("b", "fn f() {\n    crate::a::g();\n}"), ("b/c", "")];
    let texts = texts.map(|(name, text)| (name.split('/').map(str::to_owned).collect(), text.to_owned()));
    let imports = imports(texts.into_iter().collect(), false);
    assert_eq!(circle(&imports).map(|circle| circle.len()), Some(2), "{imports:?}");
}

fn circle_of(folder: &Path) -> Option<String> {
    let name = folder.file_name().expect("a crate has a name").to_string_lossy().into_owned();
    let imports = imports(modules(&folder.join("src")), STRICT.contains(&name.as_str()));
    let names = circle(&imports)?.into_iter().map(|module| module.join("::"));
    Some(format!("{name}: {}", names.collect::<Vec<_>>().join(" → ")))
}

/// The folders of all crates.
fn crates() -> Vec<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["crates", "plugins"].map(|folder| workspace.join(folder));
    let crates =
        folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder of crates").flatten());
    crates.map(|entry| entry.path()).filter(|path| path.join("Cargo.toml").is_file()).collect()
}

/// The text of every module, tests at its end left out.
fn modules(sources: &Path) -> BTreeMap<Module, String> {
    let mut modules = BTreeMap::new();
    let mut folders = vec![sources.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).expect("a folder of sources").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source is text");
                let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                modules.insert(module(path.strip_prefix(sources).expect("it is in there")), text);
            }
        }
    }
    modules
}

fn module(file: &Path) -> Module {
    let mut names: Module =
        file.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        names.pop();
    }
    names
}

fn imports(modules: BTreeMap<Module, String>, strict: bool) -> Imports {
    let known: BTreeSet<_> = modules.keys().cloned().collect();
    let of = |(module, text): (Module, String)| {
        let parts =
            known.iter().filter(|part| strict && part.split_last().is_some_and(|(_, of)| of == module));
        let named = paths(&module, &text).into_iter().map(|path| deepest(&known, path));
        let is_other = |other: &Module| {
            let is_part = other.starts_with(&module) || module.starts_with(other);
            *other != module && (strict || !is_part)
        };
        let imported = named.chain(parts.cloned()).filter(is_other).collect();
        (module, imported)
    };
    modules.into_iter().map(of).collect()
}

/// The module in which what a path names is found.
fn deepest(known: &BTreeSet<Module>, mut path: Module) -> Module {
    while !known.contains(&path) && path.pop().is_some() {}
    path
}

/// Every path into the same crate that a module's text names.
fn paths(module: &Module, text: &str) -> Vec<Module> {
    let mut all = Vec::new();
    let code =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for (at, _) in code.match_indices("::") {
        let before = &code[..at];
        let word = before.rsplit(|c: char| !is_of_word(c)).next().unwrap_or_default();
        let begins = !before[..before.len() - word.len()].ends_with(':');
        let base = match word {
            "crate" if begins => Vec::new(),
            "super" if begins => module.split_last().map(|(_, above)| above.to_vec()).unwrap_or_default(),
            "self" if begins => module.clone(),
            _ => continue,
        };
        tree(&code[at + 2..], &base, &mut all);
    }
    all
}

/// Follows what stands behind `::`, and gives what stands behind that.
fn tree<'t>(text: &'t str, base: &Module, all: &mut Vec<Module>) -> &'t str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = tree(rest, base, all).trim_start();
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => return rest.strip_prefix('}').unwrap_or(rest),
            }
        }
    }
    let end = text.find(|c| !is_of_word(c)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let path = match word {
        "super" => base.split_last().map(|(_, above)| above.to_vec()).unwrap_or_default(),
        "self" | "" => base.clone(),
        word => base.iter().cloned().chain([word.to_owned()]).collect(),
    };
    match rest.strip_prefix("::") {
        Some(rest) => tree(rest, &path, all),
        None => {
            all.push(path);
            let renamed = rest.trim_start().strip_prefix("as ");
            renamed.map_or(rest, |name| name.trim_start_matches(is_of_word))
        }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A shortest circle, if there is one.
fn circle(imports: &Imports) -> Option<Vec<Module>> {
    imports.keys().filter_map(|module| way_back(imports, module)).min_by_key(Vec::len)
}

/// The shortest way from a module back to it.
fn way_back(imports: &Imports, start: &Module) -> Option<Vec<Module>> {
    let mut seen = BTreeSet::new();
    let mut ways = std::collections::VecDeque::from([vec![start.clone()]]);
    while let Some(way) = ways.pop_front() {
        for next in way.last().and_then(|last| imports.get(last)).into_iter().flatten() {
            if next == start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                ways.push_back(way.iter().chain([next]).cloned().collect());
            }
        }
    }
    None
}
