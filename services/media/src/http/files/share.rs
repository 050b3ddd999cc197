//! `POST /api/media/files/{id}/share`

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_events::audit;
use parlour_http::{
    ApiError, Check, Json, Once, Origin, PathId, Problems, RateClass, Reply, Routes, State, Success, Time,
    User,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::store::files;
use crate::store::shares::{self, NewShare};
use crate::telling;

/// How long a link opens a file unless its maker says otherwise: a week.
const USUAL_SECONDS: i64 = 7 * 86_400;
/// Bytes of a link's token.
const TOKEN: usize = 32;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_share_file, _, _, _>(RateClass::General, share_file)
}

/// With whom: people, or whoever has the link.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ShareFile {
    /// These people.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub user_ids: Vec<Uuid>,
    /// Whoever has the link.
    #[serde(default)]
    pub link: bool,
    /// When it ends. People have it without an end, a link for a week, unless this says otherwise.
    #[schema(minimum = 60, maximum = 31_536_000)]
    pub expires_in_seconds: Option<i64>,
    /// How often the link can be opened. Each request counts, also one for a part.
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub max_uses: Option<i32>,
}

impl Check for ShareFile {
    fn check(&self, problems: &mut Problems) {
        let either = self.link == self.user_ids.is_empty();
        problems.require(either, "user_ids", "must be given, or link be true, and not both");
        let fine = self.link || self.max_uses.is_none();
        problems.require(fine, "max_uses", "is for links");
        let mut ids = self.user_ids.clone();
        ids.sort_unstable();
        ids.dedup();
        problems.require(
            ids.len() == self.user_ids.len(),
            "user_ids",
            "must not repeat an item",
        );
    }
}

/// A share.
#[derive(Debug, Serialize, ToSchema)]
pub struct ShareData {
    /// Ends it.
    pub id: Uuid,
    /// Opens the file; of a link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The secret in the URL; of a link. It is told this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// When it ends; null for never.
    pub expires_at: Option<Time>,
}

/// Shares a file with people, or by a link
///
/// They can read it once it was found clean, until the share ends or the file is deleted.
#[utoipa::path(
    post, path = "/api/media/files/{id}/share", tag = "media", request_body = ShareFile,
    params(("id" = Uuid, Path, description = "The file.")),
    responses((status = 201, description = "The share.", body = Success<ShareData>))
)]
pub async fn share_file(
    user: User,
    state: State<Media>,
    origin: Origin,
    PathId(id): PathId,
    Json(body): Json<ShareFile>,
    once: Once,
) -> Result<Reply, ApiError> {
    let (owner, media) = (user.id, state.0.clone());
    once.write(
        Scope::Person(owner),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            let file = files::lock_own(tx, id, owner).await?;
            if file.deleted_at.is_some() || file.status == "quarantined" {
                return Err(Error::state("status", file.shown_status()));
            }
            if shares::count(tx, id, media.now()).await? >= shares::MOST {
                return Err(Error::state("shares", "too many"));
            }
            check_people(tx, &body.user_ids, owner).await?;
            let share = insert(&media, tx, id, owner, &body).await?;
            let after = json!({ "share_id": share.id, "user_ids": body.user_ids, "link": body.link });
            audit(
                tx,
                telling::entry(&origin, "file.share", ("file", id), (None, Some(after))),
            )
            .await?;
            Ok(Reply::created(share)?)
        },
    )
    .await
}

async fn check_people(tx: &mut Tx, ids: &[Uuid], owner: Uuid) -> Result<(), Error> {
    let known = parlour_directory::find_many(tx, ids).await?;
    let mut problems = Problems::default();
    for (index, id) in ids.iter().enumerate() {
        let there = known.get(id).is_some_and(|person| !person.is_deleted());
        let field = format!("user_ids[{index}]");
        problems.require(there, &field, "is nobody whom a file can be shared with");
        problems.require(*id != owner, &field, "is the owner");
    }
    Ok(problems.end()?)
}

async fn insert(
    media: &Media,
    tx: &mut Tx,
    file: Uuid,
    owner: Uuid,
    body: &ShareFile,
) -> Result<ShareData, Error> {
    let now = media.now();
    let seconds = body.expires_in_seconds.or(body.link.then_some(USUAL_SECONDS));
    let expires_at: Option<DateTime<Utc>> = seconds.map(|seconds| now + Duration::seconds(seconds));
    let token = if body.link { Some(token()?) } else { None };
    let hash = token.as_deref().map(token_hash);
    let share = NewShare {
        id: id::new(),
        file_id: file,
        owner_id: owner,
        account_ids: &body.user_ids,
        order_id: None,
        token_hash: hash.as_deref(),
        expires_at,
        uses_left: body.max_uses,
        now,
    };
    shares::insert(tx, &share).await?;
    Ok(ShareData {
        id: share.id,
        url: token.as_deref().map(|token| media.shared_url(token)),
        token,
        expires_at: expires_at.map(Time::from),
    })
}

fn token() -> Result<String, Error> {
    let mut bytes = [0; TOKEN];
    rand::fill(&mut bytes).map_err(|_| Error::Vault(parlour_vault::VaultError::NoRandomness))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept of a token: whoever reads the table cannot open anything with it.
pub(crate) fn token_hash(token: &str) -> Vec<u8> {
    digest(&SHA256, token.as_bytes()).as_ref().to_vec()
}
