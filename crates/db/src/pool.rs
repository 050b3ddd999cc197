//! Connections, each kept by the runtime that drives it.

use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use deadpool::managed::{QueueMode, Timeouts};
use diesel::result::ConnectionError;
use diesel_async::pooled_connection::deadpool::{Object, Pool as Connections};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use futures_util::FutureExt as _;
use tokio::runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connect::reason;
use crate::line::Line;
use crate::{Conn, DbError};

/// A connection that nobody used for so long may be closed for another thread to open one.
const RESTED: Duration = Duration::from_secs(1);
/// So many are borrowed for one that is closed: opening takes milliseconds, and where threads
/// outnumber connections most requests find none of their own.
const BORROWED: u32 = 64;

/// The connections of a service, so many at the most over all threads.
///
/// What arrives on a connection wakes the thread that opened it. A request whose connection
/// belongs to another thread makes the two wake each other for each answer, which costs more
/// than the rest of a short query. So each runtime (a worker of the listener has one of its
/// own) keeps those that it opened. When no more may be opened it borrows another's, and
/// while it goes on borrowing it comes to have more.
pub(crate) struct Pool {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    homes: RwLock<HashMap<runtime::Id, Arc<Home>>>,
    in_use: Arc<Semaphore>,
    borrowed: AtomicU32,
    size: usize,
    timeout: Duration,
}

/// What belongs to a runtime.
struct Home {
    connections: Connections<Conn>,
    line: Line,
}

impl Pool {
    pub(crate) fn new(
        config: tokio_postgres::Config,
        tls: MakeRustlsConnect,
        size: usize,
        timeout: Duration,
    ) -> Self {
        Self {
            config,
            tls,
            homes: RwLock::default(),
            in_use: Arc::new(Semaphore::new(size)),
            borrowed: AtomicU32::new(0),
            size,
            timeout,
        }
    }

    pub(crate) async fn get(&self) -> Result<Pooled, DbError> {
        let permit = tokio::time::timeout(self.timeout, self.in_use.clone().acquire_owned());
        let permit = match permit.await {
            Ok(Ok(permit)) => permit,
            Ok(Err(error)) => return Err(DbError::Unavailable(error.to_string())),
            Err(_) => return Err(DbError::Busy),
        };
        let conn = self.connection().await?;
        Ok(Pooled {
            conn,
            _permit: permit,
        })
    }

    /// A connection that other short reads of this runtime may be using as well.
    pub(crate) async fn line(&self) -> Result<Arc<Pooled>, DbError> {
        let home = self.home(here())?;
        match home.line.join() {
            Some(conn) => Ok(conn),
            None => Ok(home.line.open(self.get().await?)),
        }
    }

    /// Closes what turned out to be dead, whether others share it or not.
    pub(crate) fn hang_up(&self, conn: Arc<Pooled>) {
        if let Ok(home) = self.home(here()) {
            home.line.leave(&conn);
        }
        // The last who found it dead closes it.
        if let Some(conn) = Arc::into_inner(conn) {
            conn.discard();
        }
    }

    async fn connection(&self) -> Result<Object<Conn>, DbError> {
        let here = here();
        let home = &self.home(here)?.connections;
        if home.status().available == 0 && self.status().1 >= self.size {
            let before = self.borrowed.fetch_add(1, Ordering::Relaxed);
            let move_one = before % BORROWED == BORROWED - 1;
            for other in self.others(here) {
                if move_one && close_one(&other) {
                    break;
                }
                if let Ok(conn) = other.timeout_get(&at_once(self.timeout)).await {
                    return Ok(conn);
                }
            }
        }
        home.get()
            .await
            .map_err(|error| DbError::Unavailable(error.to_string()))
    }

    /// How many are in use, how many are open.
    pub(crate) fn status(&self) -> (usize, usize) {
        let homes = self.homes.read().unwrap_or_else(PoisonError::into_inner);
        let open = homes.values().map(|home| home.connections.status().size).sum();
        (self.size.saturating_sub(self.in_use.available_permits()), open)
    }

    fn home(&self, here: runtime::Id) -> Result<Arc<Home>, DbError> {
        let known = self.homes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(home) = known.get(&here) {
            return Ok(home.clone());
        }
        drop(known);
        let home = Arc::new(Home {
            connections: self.make()?,
            line: Line::default(),
        });
        let mut homes = self.homes.write().unwrap_or_else(PoisonError::into_inner);
        Ok(homes.entry(here).or_insert(home).clone())
    }

    /// The connections of other runtimes that have some to spare.
    fn others(&self, here: runtime::Id) -> Vec<Connections<Conn>> {
        let homes = self.homes.read().unwrap_or_else(PoisonError::into_inner);
        let others = homes
            .iter()
            .filter(|(id, home)| **id != here && home.connections.status().available > 0);
        others.map(|(_, home)| home.connections.clone()).collect()
    }

    fn make(&self) -> Result<Connections<Conn>, DbError> {
        let mut manager = ManagerConfig::default();
        manager.recycling_method = RecyclingMethod::Fast;
        let (config, tls) = (self.config.clone(), self.tls.clone());
        manager.custom_setup = Box::new(move |_| establish(config.clone(), tls.clone()).boxed());
        Connections::builder(AsyncDieselConnectionManager::<Conn>::new_with_config("", manager))
            .max_size(self.size)
            // The connection used last is warm: its statements are prepared and its server process is in the caches.
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(self.timeout))
            .create_timeout(Some(self.timeout))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| DbError::Unavailable(error.to_string()))
    }
}

fn here() -> runtime::Id {
    runtime::Handle::current().id()
}

/// Closes a connection that has rested there, if there is one.
fn close_one(home: &Connections<Conn>) -> bool {
    let mut closed = false;
    home.retain(|_, metrics| {
        let keep = closed || metrics.last_used() < RESTED;
        closed |= !keep;
        keep
    });
    closed
}

/// Does not wait for a connection that is in use.
fn at_once(create: Duration) -> Timeouts {
    Timeouts {
        wait: Some(Duration::ZERO),
        create: Some(create),
        recycle: None,
    }
}

async fn establish(config: tokio_postgres::Config, tls: MakeRustlsConnect) -> Result<Conn, ConnectionError> {
    let (client, connection) = config
        .connect(tls)
        .await
        .map_err(|e| ConnectionError::BadConnection(reason(&e)))?;
    Conn::try_from_client_and_connection(client, connection).await
}

/// A connection of the pool, which goes back to it when this is dropped.
pub struct Pooled {
    // Before the permit, so that it is back when the next one may ask.
    conn: Object<Conn>,
    _permit: OwnedSemaphorePermit,
}

impl Pooled {
    /// Closes it. A connection in a transaction that the pool does not know of must not go back.
    pub(crate) fn discard(self) {
        drop(Object::take(self.conn));
    }
}

impl Deref for Pooled {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
