//! `POST /api/media/upload-session-media`

use parlour_contracts::id;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Multipart, OnceRead, Origin, RateClass, Reply, Routes, State, Success, User};
use utoipa::ToSchema;
use uuid::Uuid;

use super::form::{Form, Wanted};
use super::single::store_one;
use crate::error::{self, Error};
use crate::state::Media;
use crate::store::{reading, sessions};
use crate::storing::About;
use crate::view::FileData;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_upload_session_media, _, _, _>(RateClass::Upload, upload_session_media)
}

/// The form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is read piece by piece")]
pub struct SessionMediaForm {
    #[schema(value_type = String, format = Binary)]
    file: String,
    /// The conversation.
    session_id: Uuid,
    /// `coffee_cup`, `palm` or `dream_journal`.
    kind: String,
    #[schema(max_length = 2000)]
    description: Option<String>,
}

const WANTED: Wanted = Wanted {
    names: &["file"],
    most: 1,
    each: false,
};

/// What a file can be in a conversation.
const KINDS: [&str; 3] = ["coffee_cup", "palm", "dream_journal"];

/// Uploads a file for a conversation
///
/// Those who take part can read it once it was found clean.
#[utoipa::path(
    post, path = "/api/media/upload-session-media", tag = "media",
    request_body(content = SessionMediaForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The file.", body = Success<FileData>),
        (status = 422, description = "The file is harmful."),
    )
)]
pub async fn upload_session_media(
    user: User,
    state: State<Media>,
    origin: Origin,
    form: Multipart,
    once: OnceRead,
) -> Result<Reply, ApiError> {
    let mut form = Form::read(&state, form, WANTED).await?;
    let received = form.one()?;
    let session = form
        .session_id
        .ok_or_else(|| ApiError::field("session_id", "is required"))?;
    let given = form
        .kind
        .as_deref()
        .ok_or_else(|| ApiError::field("kind", "is required"))?;
    let kind = KINDS.into_iter().find(|kind| *kind == given);
    let kind = kind.ok_or_else(|| ApiError::field("kind", "must be coffee_cup, palm or dream_journal"))?;
    let about = About {
        id: id::new(),
        owner: user.id,
        purpose: "session",
        description: form.description.take(),
        session: Some((session, kind)),
        ..About::default()
    };
    let (once, state) = (once.covering(form.digest()), state.0.clone());
    once.write(
        Scope::Person(user.id),
        async move |tx: &mut Tx| -> Result<Reply, Error> {
            match reading::session(tx, session, about.owner).await? {
                (None, _) => return Err(error::session_not_found().into()),
                (Some(_), false) => return Err(error::chat_access_denied().into()),
                (Some(status), true) if status != "active" => {
                    return Err(error::session_inactive(&status).into());
                }
                (Some(_), true) => {}
            }
            let reply = store_one(&state, tx, &received, &about, &origin).await?;
            sessions::add_file(tx, session, about.id, state.now()).await?;
            Ok(reply)
        },
    )
    .await
}
