//! Files that were made of others.

use diesel::result::{OptionalExtension as _, QueryResult};
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

use super::files::{File, columns};

/// What was made of `source` so, unless it was deleted.
pub async fn find(conn: &mut Conn, source: Uuid, recipe: &str) -> QueryResult<Option<File>> {
    Statement::new(concat!(
        "SELECT ",
        columns!(),
        " FROM files f WHERE f.source_id = ? AND f.recipe = ? AND f.deleted_at IS NULL"
    ))
    .with(source)
    .with(recipe)
    .get_result(conn)
    .await
    .optional()
}
