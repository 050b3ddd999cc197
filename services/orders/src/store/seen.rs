//! What a move stands on, read in one round trip.

use diesel::result::QueryResult;
use futures_util::future::try_join;
use parlour_db::{Caller, Conn};
use uuid::Uuid;

use super::orders::{self, Order};
use super::readers::{self, Candidate};
use super::{files, history};
use crate::viewer::Viewer;

/// What a move has to know besides its order.
#[derive(Clone, Debug)]
pub enum Besides {
    /// Nothing.
    Nothing,
    /// Whether this reader can be given it.
    Reader(Uuid),
    /// Which of these are clean files of the caller's.
    Files(Vec<Uuid>),
    /// The files of its result.
    ResultFiles,
}

/// An order, and what was asked for besides.
#[derive(Debug)]
pub struct Seen {
    /// The order.
    pub order: Order,
    /// The reader, when they can be given it.
    pub reader: Option<Candidate>,
    /// The files.
    pub files: Vec<Uuid>,
}

/// Reads an order that the caller may know of, and what else is asked for.
pub async fn look(conn: &Conn, id: Uuid, viewer: &Viewer, besides: &Besides) -> QueryResult<Seen> {
    let caller = Caller::from(viewer.scope());
    let more = async {
        Ok(match besides {
            Besides::Nothing => (None, Vec::new()),
            Besides::Reader(reader) => (readers::available(conn, *reader).await?, Vec::new()),
            Besides::Files(ids) => (None, files::usable(conn, &caller, viewer.id, ids).await?),
            Besides::ResultFiles => (None, history::files_of(conn, &caller, id).await?),
        })
    };
    let (order, (reader, files)) = try_join(orders::find(conn, &caller, id, viewer), more).await?;
    Ok(Seen { order, reader, files })
}
