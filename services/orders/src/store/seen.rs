//! What a move stands on, read in one round trip.

use diesel::result::QueryResult;
use futures_util::future::try_join;
use parlour_db::{Caller, Conn};
use uuid::Uuid;

use super::files;
use super::orders::{self, Order};
use super::readers::{self, Candidate};
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
}

/// An order with the files of its result, and what was asked for besides.
#[derive(Debug)]
pub struct Seen {
    /// The order.
    pub order: Order,
    /// The files of its result.
    pub result_files: Vec<Uuid>,
    /// The reader, when they can be given it.
    pub reader: Option<Candidate>,
    /// Of the files, those that are the caller's and clean.
    pub usable: Vec<Uuid>,
}

/// Reads an order that the caller may know of, and what else is asked for.
pub async fn look(conn: &Conn, id: Uuid, viewer: &Viewer, besides: &Besides) -> QueryResult<Seen> {
    let caller = Caller::from(viewer.scope());
    let more = async {
        Ok(match besides {
            Besides::Nothing => (None, Vec::new()),
            Besides::Reader(reader) => (readers::available(conn, *reader).await?, Vec::new()),
            Besides::Files(ids) => (None, files::usable(conn, &caller, viewer.id, ids).await?),
        })
    };
    let (found, (reader, usable)) = try_join(orders::find(conn, &caller, id, viewer), more).await?;
    Ok(Seen {
        order: found.order,
        result_files: found.media_ids,
        reader,
        usable,
    })
}
