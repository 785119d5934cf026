//! The copy of a workspace that the mutants are written into. What has not changed is not written again, so that cargo
//! builds only what has.

use std::fs;
use std::path::Path;

const NOT_COPIED: [&str; 3] = ["target", ".git", "node_modules"];

/// Makes `to` what `from` is, but for the folders and files of which `is_kept` says that they are written otherwise.
pub fn copy(from: &Path, to: &Path, is_kept: &dyn Fn(&Path) -> bool) -> Result<(), String> {
    let said = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    fs::create_dir_all(to).map_err(said(to))?;
    let mut names = Vec::new();
    for entry in fs::read_dir(from).map_err(said(from))? {
        let entry = entry.map_err(said(from))?;
        let (path, name) = (entry.path(), entry.file_name());
        if NOT_COPIED.iter().any(|other| name == *other) {
            continue;
        }
        let target = to.join(&name);
        names.push(name);
        if is_kept(&path) {
            continue;
        }
        if path.is_dir() {
            copy(&path, &target, is_kept)?;
        } else if path.is_file() {
            let octets = fs::read(&path).map_err(said(&path))?;
            if write(&target, &octets)? {
                let rights = entry.metadata().map_err(said(&path))?.permissions();
                fs::set_permissions(&target, rights).map_err(said(&target))?;
            }
        }
    }
    for entry in fs::read_dir(to).map_err(said(to))? {
        let entry = entry.map_err(said(to))?;
        if !names.contains(&entry.file_name()) && !is_kept(&from.join(entry.file_name())) {
            let path = entry.path();
            if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) }
                .map_err(said(&path))?;
        }
    }
    Ok(())
}

/// Writes a file unless that is what is there. Tells whether it did.
pub fn write(path: &Path, octets: &[u8]) -> Result<bool, String> {
    if fs::read(path).is_ok_and(|there| there == octets) {
        return Ok(false);
    }
    fs::create_dir_all(path.parent().expect("a file is in a folder"))
        .and_then(|()| fs::write(path, octets))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(true)
}
