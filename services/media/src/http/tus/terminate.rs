//! `DELETE /api/media/tus/{id}`

use actix_web::HttpResponse;
use parlour_db::{Scope, Tx};
use parlour_http::{ApiError, Head, PathId, RateClass, Routes, State, User};

use super::{RESUMABLE, VERSION, check_version, named};
use crate::error::Error;
use crate::state::Media;
use crate::store::uploads;

/// Registers the route.
pub fn route(routes: Routes) -> Routes {
    routes.add::<__path_tus_terminate, _, _, _>(RateClass::General, tus_terminate)
}

/// Gives an upload up
#[utoipa::path(
    delete, path = "/api/media/tus/{id}", tag = "media",
    params(
        ("id" = uuid::Uuid, Path, description = "The upload."),
        ("Tus-Resumable" = String, Header, description = "1.0.0"),
    ),
    responses(
        (status = 204, description = "It is gone."),
        (status = 412, description = "Another version of the protocol."),
        (status = 423, description = "Somebody is appending."),
    )
)]
pub async fn tus_terminate(
    user: User,
    state: State<Media>,
    PathId(id): PathId,
    head: Head,
) -> Result<HttpResponse, ApiError> {
    check_version(&head)?;
    let (owner, now, media) = (user.id, state.now(), state.0.clone());
    let work = async move |tx: &mut Tx| -> Result<(), Error> {
        if uploads::find(tx, id, owner, now).await?.locked {
            return Err(Error::Locked);
        }
        let objects = uploads::delete(tx, id, None).await?;
        media.delete_on_commit(tx, objects);
        Ok(())
    };
    state.db.write(Scope::Person(owner), work).await.map_err(named)?;
    let mut response = HttpResponse::NoContent();
    response.insert_header((RESUMABLE, VERSION));
    Ok(response.finish())
}
