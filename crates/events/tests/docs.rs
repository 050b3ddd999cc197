//! The generated documents in `docs/` are up to date.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

use std::path::Path;

use parlour_events::docs;

#[test]
fn the_committed_documents_are_what_is_generated() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    for (name, content) in [
        ("EVENTS.md", docs::markdown(&[])),
        ("asyncapi.yaml", docs::asyncapi(&[])),
    ] {
        let path = folder.join(name);
        if std::env::var_os("PARLOUR_WRITE_DOCS").is_some() {
            std::fs::write(&path, &content).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == content,
            "docs/{name} is not what proto/ gives: run `PARLOUR_WRITE_DOCS=1 cargo test -p parlour-events --test docs`",
        );
    }
}

#[test]
fn consumers_are_named() {
    let registered = docs::Registered {
        service: "orders".into(),
        types: vec!["identity.profile.updated".into(), "*.audit.recorded".into()],
    };
    let page = docs::markdown(std::slice::from_ref(&registered));
    assert!(page.contains("consumed by orders"), "{page}");
    assert!(docs::asyncapi(&[registered]).contains("consume.orders.any.audit.recorded:"));
}
