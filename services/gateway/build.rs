//! Takes the three files of Swagger UI that the reference page needs out of the
//! crate that vendors them, so that the binary serves them without a CDN.

use std::error::Error;
use std::fs::File;
use std::io::{Cursor, copy};
use std::path::Path;

const FILES: [&str; 3] = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    let out = std::env::var("OUT_DIR")?;
    let mut archive = zip::ZipArchive::new(Cursor::new(utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED))?;
    for wanted in FILES {
        let suffix = format!("/dist/{wanted}");
        let name = archive
            .file_names()
            .find(|name| name.ends_with(&suffix))
            .map(ToOwned::to_owned);
        let name = name.ok_or_else(|| format!("{wanted} is not in the archive"))?;
        copy(
            &mut archive.by_name(&name)?,
            &mut File::create(Path::new(&out).join(wanted))?,
        )?;
    }
    Ok(())
}
