//! The Rust sources below a folder: not those that were built, nor those of hidden folders.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Their paths, sorted.
///
/// # Errors
/// What the file system says about the first folder that cannot be read.
pub fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            // Cargo marks the folders that it builds into, whatever they are called.
            let is_built = path.ends_with("target") || path.join("CACHEDIR.TAG").exists();
            if path.is_dir() {
                if !is_hidden && !is_built {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
