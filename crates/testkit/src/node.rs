//! Programs for Node in tests: official clients, independent implementations, a browser's remote control.

use std::path::Path;
use std::process::Command;

/// Puts the scripts of the folder `sources` into `stage` (below cargo's `CARGO_TARGET_TMPDIR`), with the packages that
/// their `package-lock.json` names, which are installed once for each version of it. What is there and the same is left
/// alone: another run may be reading it. Needs Node 20 and npm.
pub fn stage_node(sources: &Path, stage: &Path) {
    std::fs::create_dir_all(stage).expect("the stage can be made");
    for file in std::fs::read_dir(sources).expect("the scripts are there") {
        let file = file.expect("the scripts can be listed").path();
        if let (true, Some(name)) = (file.is_file(), file.file_name()) {
            copy(&file, &stage.join(name));
        }
    }
    let stamp = stage.join("node_modules/.installed");
    let lock = std::fs::read(stage.join("package-lock.json")).expect("the packages are locked");
    if std::fs::read(&stamp).ok().as_ref() != Some(&lock) {
        install(stage);
        std::fs::write(&stamp, lock).expect("the stage can be written");
    }
}

fn copy(from: &Path, to: &Path) {
    let text = std::fs::read(from).expect("a script can be read");
    if std::fs::read(to).ok().as_ref() != Some(&text) {
        std::fs::write(to, text).expect("the stage can be written");
    }
}

fn install(stage: &Path) {
    let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let done = Command::new("npm")
        .arg("ci")
        .args(quiet)
        .current_dir(stage)
        .status();
    match done {
        Ok(status) => assert!(status.success(), "npm ci failed in {}", stage.display()),
        Err(error) => panic!("Node 20 and npm are missing ({error}): deploy/local/install --with-node"),
    }
}
