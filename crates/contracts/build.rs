//! Generates the Rust types of `proto/`, the `Event` implementations of every
//! message in an `events.proto`, and the descriptor set that documents them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, error::Error, fs};

use prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();

    let set = protox::compile(&files, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), set.encode_to_vec())?;
    fs::write(out.join("catalogue.rs"), catalogue(&set)?)?;
    prost_build::Config::new()
        .include_file("parlour.rs")
        .compile_fds(set)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|e| e == "proto") {
            files.push(path);
        }
    }
    Ok(())
}

/// `impl Event` for every message that stands in a `parlour.<domain>.v<n>` file named `events.proto`.
fn catalogue(set: &prost_types::FileDescriptorSet) -> Result<String, Box<dyn Error>> {
    let mut code = String::new();
    let mut names = Vec::new();
    for file in set.file.iter().filter(|f| f.name().ends_with("/events.proto")) {
        let parts: Vec<&str> = file.package().split('.').collect();
        let [_, domain, version] = parts.as_slice() else {
            return Err(format!("{}: package must be parlour.<domain>.v<n>", file.name()).into());
        };
        for message in &file.message_type {
            let name = message.name();
            let event = event_name(domain, name);
            writeln!(
                code,
                "impl Event for crate::{domain}::{version}::{name} {{\n    const TYPE: &'static str = {event:?};\n    const PROTO: &'static str = \"{package}.{name}\";\n}}",
                package = file.package(),
            )?;
            names.push((event, format!("{}.{name}", file.package())));
        }
    }
    names.sort();
    writeln!(code, "/// Every event type with its message's full name, sorted.")?;
    writeln!(code, "pub const ALL: &[(&str, &str)] = &[")?;
    for (event, proto) in names {
        writeln!(code, "    ({event:?}, {proto:?}),")?;
    }
    writeln!(code, "];")?;
    Ok(code)
}

/// `AccountRegistered` in `identity` is `identity.account.registered`: the first
/// word is the aggregate, the others are what happened.
fn event_name(domain: &str, message: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for c in message.chars() {
        if c.is_ascii_uppercase() {
            words.push(c.to_ascii_lowercase().to_string());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
        }
    }
    let happened = words.split_off(1.min(words.len()));
    format!("{domain}.{}.{}", words.concat(), happened.join("_"))
}
