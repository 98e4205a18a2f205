//! What cargo and the disk say about this workspace.
//! Nothing here needs the network once the workspace has been built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

/// One of our own packages, as its manifest declares it: for every target, optional or not.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the root, with `/`: `crates/mailbox`.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) ours: bool,
    pub(crate) kind: Kind,
    pub(crate) features: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Normal or build: part of what is shipped.
    Shipped,
    Dev,
}

/// A file of the repository.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// The checkout that the tests run for. Asked for at run time: two checkouts that share a target folder share the
/// compiled test too, and the path of the one would be baked into the run of the other.
pub(crate) fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs this test and says where");
        Path::new(&package).parent().expect("this package lies in a folder of the workspace").to_path_buf()
    });
    &ROOT
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Runs cargo in the root; `Err` is what it wrote to standard error.
pub(crate) fn cargo(arguments: &[&str]) -> Result<String, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(arguments)
        .env("CARGO_TERM_COLOR", "never")
        .current_dir(root())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

pub(crate) fn our_packages() -> Vec<Package> {
    let metadata = metadata(&["metadata", "--format-version", "1", "--locked", "--offline", "--no-deps"])
        .expect("metadata");
    packages_of(&metadata).map(our_package).collect()
}

/// Every package of the lock file with its licence: `(name, version, licence)`.
///
/// Manifests of packages for foreign platforms are not on disk after a build. They are fetched if the registry can be
/// reached (as in CI); otherwise what this platform needs is looked at, and no more.
pub(crate) fn licences() -> Vec<(String, String, Option<String>)> {
    let all = ["metadata", "--format-version", "1", "--locked"];
    let host = host();
    let here = [&all[..], &["--offline", "--filter-platform", &host]].concat();
    let metadata = metadata(&all).or_else(|_| metadata(&here)).expect("metadata");
    packages_of(&metadata)
        .map(|package| {
            let licence = package["license"].as_str().map(str::to_owned);
            (text(package, "name"), text(package, "version"), licence)
        })
        .collect()
}

/// All text files below the root but lock files and what was built.
pub(crate) fn files() -> Vec<File> {
    const TEXT: [&str; 9] = ["rs", "toml", "md", "sh", "yml", "yaml", "json", "txt", "html"];
    let mut found = Vec::new();
    let mut folders = vec![root().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the repository can be read") {
            let entry = entry.expect("a folder of the repository can be read");
            let path = entry.path();
            let kind = entry.file_type().expect("an entry has a type");
            // A folder, or in a linked work tree a file that says where it is.
            if entry.file_name() == ".git" {
                continue;
            }
            if kind.is_dir() {
                if !is_built(&path) {
                    folders.push(path);
                }
            } else if kind.is_file() {
                let extension = path.extension().and_then(|extension| extension.to_str());
                if extension.is_none_or(|extension| TEXT.contains(&extension))
                    && let Ok(text) = fs::read_to_string(&path)
                {
                    found.push(File { path: relative(&path), text });
                }
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Cargo marks the folders that it builds into, whatever they are called.
fn is_built(folder: &Path) -> bool {
    folder.ends_with("target") || folder.join("CACHEDIR.TAG").exists()
}

fn relative(path: &Path) -> String {
    let path: PathBuf = path.strip_prefix(root()).expect("below the root").into();
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn host() -> String {
    let version = cargo(&["-vV"]).expect("cargo says its version");
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("cargo says its host").to_owned()
}

fn metadata(arguments: &[&str]) -> Result<Value, String> {
    serde_json::from_str(&cargo(arguments)?).map_err(|error| error.to_string())
}

fn packages_of(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().expect("metadata lists packages").iter()
}

fn our_package(package: &Value) -> Package {
    let manifest = text(package, "manifest_path");
    let folder = Path::new(&manifest).parent().expect("a manifest lies in a folder");
    let dependencies = package["dependencies"].as_array().expect("a package lists its dependencies");
    Package {
        name: text(package, "name"),
        folder: relative(folder),
        dependencies: dependencies.iter().map(dependency).collect(),
    }
}

fn dependency(dependency: &Value) -> Dependency {
    let features = dependency["features"].as_array().expect("a dependency lists its features");
    Dependency {
        name: text(dependency, "name"),
        ours: dependency["path"].is_string(),
        kind: if dependency["kind"] == "dev" { Kind::Dev } else { Kind::Shipped },
        features: features.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is text in cargo's metadata")).to_owned()
}
