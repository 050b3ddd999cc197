//! A service that does in its database what nobody should.

use parlour_chassis::Service;
use parlour_db::EmbeddedMigrations;

const MIGRATIONS: EmbeddedMigrations =
    diesel_migrations::embed_migrations!("tests/all/demo/careless/migrations");

pub(crate) const SCHEMA: &str = "
    diesel::table! {
        secrets (account_id) {
            id -> Int8,
            account_id -> Uuid,
            text -> Text,
            more -> Nullable<Text>,
        }
    }
    diesel::table! { imagined (id) {
        id -> Uuid,
    } }";

pub(crate) fn service() -> Service {
    Service {
        name: "careless",
        migrations: || vec![MIGRATIONS],
        ..super::counter::service()
    }
}
