//! Handlers: a guard first, then what they take out of the request.

use std::future::Future;

use actix_web::HttpResponse;

use crate::reply::IntoResponse;
use crate::{ApiError, Call, Guard};

/// Something that can be taken out of a request. Extraction happens in the order
/// of the arguments, after the guard has admitted the caller.
pub trait Extract: Sized {
    /// Whether it reads a body that may be left out, for the document.
    const OPTIONAL_BODY: bool = false;

    /// Takes it.
    fn extract(call: &mut Call) -> impl Future<Output = Result<Self, ApiError>>;
}

/// An async function of a guard and any number of extracted arguments.
pub trait Endpoint<G, Args>: Clone + Send + Sync + 'static {
    /// Whether one of its arguments reads a body that may be left out.
    const OPTIONAL_BODY: bool;

    /// Admits, extracts, calls.
    fn call(&self, call: Call) -> impl Future<Output = Result<HttpResponse, ApiError>>;
}

macro_rules! endpoint {
    ($($arg:ident),*) => {
        impl<F, G, Fut, R, E, $($arg),*> Endpoint<G, ($($arg,)*)> for F
        where
            F: Fn(G, $($arg),*) -> Fut + Clone + Send + Sync + 'static,
            G: Guard,
            Fut: Future<Output = Result<R, E>>,
            R: IntoResponse,
            E: Into<ApiError>,
            $($arg: Extract,)*
        {
            const OPTIONAL_BODY: bool = false $(|| $arg::OPTIONAL_BODY)*;

            #[allow(non_snake_case, unused_mut)]
            async fn call(&self, mut call: Call) -> Result<HttpResponse, ApiError> {
                let guard = G::admit(&call)?;
                $(let $arg = $arg::extract(&mut call).await?;)*
                let done = self(guard, $($arg),*).await;
                done.map(IntoResponse::into_response).map_err(Into::into)
            }
        }
    };
}

endpoint!();
endpoint!(A);
endpoint!(A, B);
endpoint!(A, B, C);
endpoint!(A, B, C, D);
endpoint!(A, B, C, D, H);
endpoint!(A, B, C, D, H, I);
