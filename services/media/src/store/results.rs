//! Files of the results of orders.

use diesel::QueryableByName;
use diesel::result::QueryResult;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::RunQueryDsl as _;
use parlour_db::{Conn, Statement};
use uuid::Uuid;

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Of `ids`, the files of `owner`.
pub async fn owned(conn: &mut Conn, owner: Uuid, ids: &[Uuid]) -> QueryResult<Vec<Uuid>> {
    let rows: Vec<Id> =
        Statement::new("SELECT id FROM files WHERE id = ANY (?) AND owner_id = ? ORDER BY id")
            .with(ids)
            .with(owner)
            .load(conn)
            .await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// A reader handed files in with a result.
pub async fn submitted(conn: &mut Conn, order: Uuid, reader: Uuid, ids: &[Uuid]) -> QueryResult<()> {
    Statement::new(
        "INSERT INTO result_files (file_id, order_id) SELECT id, ? FROM files WHERE id = ANY (?) AND owner_id = ?
         ON CONFLICT DO NOTHING",
    )
    .with(order)
    .with(ids)
    .with(reader)
    .execute(conn)
    .await?;
    Ok(())
}
