//! Requests that want their connection for something else than HTTP.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;

use actix_codec::Framed;
use actix_http::body::{BodySize, BoxBody, MessageBody};
use actix_http::{ConnectionType, Request, Response, h1};
use actix_service::{Service, ServiceFactory};
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::HttpResponse;
use actix_web::dev::ServiceResponse;
use bytes::BytesMut;
use futures_util::SinkExt;
use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connection's bytes, whether encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// The connection itself, where nothing is between it and the bytes.
    fn into_tcp(self: Box<Self>) -> Option<TcpStream>;
}

impl Stream for TcpStream {
    fn into_tcp(self: Box<Self>) -> Option<TcpStream> {
        Some(*self)
    }
}

impl Stream for TlsStream<TcpStream> {
    fn into_tcp(self: Box<Self>) -> Option<TcpStream> {
        None
    }
}

/// A connection that is not HTTP any more.
pub struct Wire {
    /// What comes and goes.
    pub stream: Box<dyn Stream>,
    /// What came behind the request's head.
    pub read: BytesMut,
}

/// Takes a connection over. A response carries it among its extensions.
pub struct Takeover {
    /// Whether the response goes out before; else the one who takes over answers.
    pub answered: bool,
    /// Takes it; done when the connection has ended, or is somebody else's.
    pub take: Box<dyn FnOnce(Wire) -> LocalBoxFuture<'static, ()>>,
}

/// What an answer is written as.
type Said = h1::Message<(Response<()>, BodySize)>;

/// Answers such requests by an app, and does as its response says.
pub(crate) struct Leaving<A>(pub(crate) A);

impl<T, A> ServiceFactory<(Request, Framed<T, h1::Codec>)> for Leaving<A>
where
    T: Stream + 'static,
    A: ServiceFactory<Request, Config = (), Response = ServiceResponse<BoxBody>, Error = actix_web::Error>,
    A::Service: 'static,
    A::Future: 'static,
{
    type Response = ();
    type Error = actix_web::Error;
    type Config = ();
    type Service = LeavingService<A::Service>;
    type InitError = A::InitError;
    type Future = LocalBoxFuture<'static, Result<Self::Service, Self::InitError>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let made = self.0.new_service(());
        Box::pin(async move { Ok(LeavingService(Rc::new(made.await?))) })
    }
}

pub(crate) struct LeavingService<S>(Rc<S>);

impl<T, S> Service<(Request, Framed<T, h1::Codec>)> for LeavingService<S>
where
    T: Stream + 'static,
    S: Service<Request, Response = ServiceResponse<BoxBody>, Error = actix_web::Error> + 'static,
{
    type Response = ();
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<(), actix_web::Error>>;

    actix_service::always_ready!();

    fn call(&self, (request, mut framed): (Request, Framed<T, h1::Codec>)) -> Self::Future {
        let app = self.0.clone();
        Box::pin(async move {
            let answered = app.call(request).await?;
            let (_, mut response) = answered.into_parts();
            let takeover = response.extensions_mut().remove::<Takeover>();
            match &takeover {
                None => {
                    response.head_mut().set_connection_type(ConnectionType::Close);
                    write(&mut framed, response).await?;
                }
                Some(Takeover { answered: true, .. }) => write(&mut framed, response).await?,
                // Answers of before may still wait.
                Some(_) => SinkExt::<Said>::flush(&mut framed).await?,
            }
            if let Some(takeover) = takeover {
                let parts = framed.into_parts();
                let wire = Wire {
                    stream: Box::new(parts.io),
                    read: parts.read_buf,
                };
                (takeover.take)(wire).await;
            }
            Ok(())
        })
    }
}

/// Writes a response whole.
async fn write<T: Stream>(framed: &mut Framed<T, h1::Codec>, response: HttpResponse) -> io::Result<()> {
    let (head, body) = response.into_parts();
    let head = Response::from(head);
    let size = body.size();
    framed.send(h1::Message::Item((head, size))).await?;
    if matches!(size, BodySize::None | BodySize::Sized(0)) {
        return Ok(());
    }
    let mut body = pin!(body);
    while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        let piece = piece.map_err(|error| io::Error::other(error.to_string()))?;
        framed.send(h1::Message::Chunk(Some(piece))).await?;
    }
    framed.send(h1::Message::Chunk(None)).await
}
