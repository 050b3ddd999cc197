//! `GET /api/media/quarantine`

use std::collections::HashMap;

use parlour_db::{Scope, Tx};
use parlour_http::{
    Admin, ApiError, Cursor, PageQuery, Pagination, Query, RateClass, Reply, Routes, State, Success, Time,
};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::store::files::File;
use crate::store::scans::{self, ScanResult};

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_quarantine, _, _, _>(RateClass::General, list_quarantine)
}

/// A file in quarantine.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct QuarantinedView {
    pub id: Uuid,
    pub name: String,
    pub mime_type: String,
    pub size: i64,
    pub kind: String,
    pub owner_id: Uuid,
    pub session_id: Option<Uuid>,
    /// Which scanner found something.
    pub scanner: Option<String>,
    /// What it found, by its names.
    pub signatures: Vec<String>,
    pub quarantined_at: Option<Time>,
    pub created_at: Time,
    pub deleted_at: Option<Time>,
}

/// A page of the quarantine.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuarantinePage {
    /// The newest first.
    pub files: Vec<QuarantinedView>,
    /// Where in the list this is.
    pub pagination: Pagination,
}

/// Files in quarantine
#[utoipa::path(
    get, path = "/api/media/quarantine", tag = "media", params(PageQuery),
    responses((status = 200, description = "A page.", body = Success<QuarantinePage>))
)]
pub async fn list_quarantine(
    _: Admin,
    state: State<Media>,
    Query(pages): Query<PageQuery>,
) -> Result<Reply, ApiError> {
    let (cursor, asked) = (pages.cursor()?, pages.clone());
    let work = async move |tx: &mut Tx| -> Result<_, Error> {
        let total = scans::count_quarantined(tx).await?;
        let after = cursor.map(|cursor| (cursor.at, cursor.id));
        let mut files = scans::quarantined(tx, after, asked.most(), asked.offset()).await?;
        let next = asked.cut(&mut files, |file| Cursor {
            at: file.created_at,
            id: file.id,
        });
        let ids: Vec<Uuid> = files.iter().map(|file| file.id).collect();
        let found = scans::findings(tx, &ids).await?;
        Ok((files, found, total, next))
    };
    let (files, found, total, next) = state.db.read(Scope::Service, work).await?;
    let mut found: HashMap<Uuid, ScanResult> = found.into_iter().map(|one| (one.file_id, one)).collect();
    let files = files.into_iter().map(|file| {
        let found = found.remove(&file.id);
        view(file, found)
    });
    Reply::ok(QuarantinePage {
        files: files.collect(),
        pagination: Pagination::new(&pages, total, next),
    })
}

fn view(file: File, found: Option<ScanResult>) -> QuarantinedView {
    let at = found.as_ref().map(|found| found.scanned_at.into());
    let (scanner, signatures) = found.map(|found| (found.scanner, found.signatures)).unzip();
    QuarantinedView {
        id: file.id,
        name: file.name,
        mime_type: file.mime_type,
        size: file.size,
        kind: file.kind,
        owner_id: file.owner_id,
        session_id: file.session_id,
        scanner,
        signatures: signatures.unwrap_or_default(),
        quarantined_at: at,
        created_at: file.created_at.into(),
        deleted_at: file.deleted_at.map(Time::from),
    }
}
