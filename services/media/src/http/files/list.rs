//! `GET /api/media/files`

use parlour_db::Tx;
use parlour_http::{
    ApiError, Check, Cursor, PageQuery, Paged, Pagination, Problems, RateClass, Reply, Routes, State,
    Success, User,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::domain::names;
use crate::error::Error;
use crate::state::Media;
use crate::store::listing::{self, Filter};
use crate::view::FileView;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_list_files, _, _, _>(RateClass::General, list_files)
}

/// Which files.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FileQuery {
    /// In this folder itself.
    #[schema(max_length = 200)]
    #[param(max_length = 200)]
    pub folder: Option<String>,
    /// `image`, `audio`, `video` or `document`.
    #[schema(max_length = 20)]
    #[param(max_length = 20)]
    pub kind: Option<String>,
    /// `pending`, `ready`, `quarantined` or `deleted`.
    #[schema(max_length = 20)]
    #[param(max_length = 20)]
    pub status: Option<String>,
    /// Part of the name.
    #[schema(max_length = 100)]
    #[param(max_length = 100)]
    pub q: Option<String>,
    /// Those that were deleted and can be brought back.
    pub deleted: Option<bool>,
}

impl Check for FileQuery {
    fn check(&self, problems: &mut Problems) {
        let among = |value: &Option<String>, names: &[&str]| {
            value.as_deref().is_none_or(|value| names.contains(&value))
        };
        let fine = among(&self.kind, &["image", "audio", "video", "document"]);
        problems.require(fine, "kind", "is not a kind of files");
        let fine = among(&self.status, &["pending", "ready", "quarantined", "deleted"]);
        problems.require(fine, "status", "is not a status");
        let fine = self
            .folder
            .as_deref()
            .is_none_or(|folder| names::folder(folder).is_some());
        problems.require(fine, "folder", "is not a folder");
    }
}

/// A page of files.
#[derive(Debug, Serialize, ToSchema)]
pub struct FilePage {
    /// The newest first.
    pub files: Vec<FileView>,
    /// Where in the list this is.
    pub pagination: Pagination,
}

/// My files
///
/// The newest first.
#[utoipa::path(
    get, path = "/api/media/files", tag = "media", params(FileQuery, PageQuery),
    responses((status = 200, description = "A page.", body = Success<FilePage>))
)]
pub async fn list_files(
    user: User,
    state: State<Media>,
    Paged(query, pages): Paged<FileQuery>,
) -> Result<Reply, ApiError> {
    let filter = filter(query, listing::Whose::Own(user.id));
    page(&state, parlour_db::Scope::Person(user.id), user.id, filter, pages).await
}

fn filter(query: FileQuery, whose: listing::Whose) -> Filter {
    let deleted = query.deleted == Some(true) || query.status.as_deref() == Some("deleted");
    Filter {
        folder: query.folder.as_deref().and_then(names::folder),
        kind: query.kind,
        status: query.status.filter(|status| status != "deleted"),
        deleted,
        pattern: query.q.as_deref().map(listing::pattern),
        whose,
    }
}

/// A page of the files that `filter` chooses, as `viewer` sees them.
pub(crate) async fn page(
    state: &State<Media>,
    scope: parlour_db::Scope,
    viewer: uuid::Uuid,
    filter: Filter,
    pages: PageQuery,
) -> Result<Reply, ApiError> {
    let (cursor, asked, media) = (pages.cursor()?, pages.clone(), state.0.clone());
    let (files, total, next) = state
        .db
        .read(scope, async move |tx: &mut Tx| -> Result<_, Error> {
            let total = listing::count(tx, &filter).await?;
            let mut files = listing::page(tx, &filter, cursor, asked.most(), asked.offset()).await?;
            let next = asked.cut(&mut files, |file| Cursor {
                at: file.created_at,
                id: file.id,
            });
            Ok((media.show(tx, &files, Some(viewer)).await?, total, next))
        })
        .await?;
    Reply::ok(FilePage {
        files,
        pagination: Pagination::new(&pages, total, next),
    })
}
