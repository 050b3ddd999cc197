//! A network that fails on command.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// Passes connections on to somewhere else, until it is told to misbehave. What
/// it is told holds for open connections and for new ones.
///
/// It lives on a thread of its own: it goes on, or goes on failing, while the test blocks.
pub struct FaultProxy {
    address: SocketAddr,
    line: watch::Sender<Line>,
    open: Arc<AtomicUsize>,
    /// Holds the port while connections are refused.
    _reserved: TcpSocket,
    runtime: Option<Runtime>,
}

/// How the line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    mode: Mode,
    /// Counts the cuts; a connection lives as long as it does not change.
    cuts: u64,
    /// Counts the half-closes likewise.
    half_closes: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Pass,
    Delay(Duration),
    BlackHole,
    Refuse,
}

impl FaultProxy {
    /// A proxy on a port of its own that passes on to `target`, such as `127.0.0.1:5432`.
    pub async fn to(target: impl Into<String>) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let reserved = reusable(any);
        let address = reserved.local_addr().expect("a bound socket has an address");
        let line = watch::Sender::new(Line {
            mode: Mode::Pass,
            cuts: 0,
            half_closes: 0,
        });
        let open = Arc::new(AtomicUsize::new(0));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("fault-proxy")
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let acceptor = Acceptor {
            address,
            target: target.into(),
            line: line.subscribe(),
            open: open.clone(),
        };
        let (ready, listening) = tokio::sync::oneshot::channel();
        runtime.spawn(acceptor.run(ready));
        listening.await.expect("the proxy listens");
        Self {
            address,
            line,
            open,
            _reserved: reserved,
            runtime: Some(runtime),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Passes everything on, as in the beginning.
    pub fn pass(&self) {
        self.set(Mode::Pass);
    }

    /// Holds every piece of data back for `by`, in both directions.
    pub fn delay(&self, by: Duration) {
        self.set(Mode::Delay(by));
    }

    /// Takes connections and passes nothing on, and says nothing.
    pub fn black_hole(&self) {
        self.set(Mode::BlackHole);
    }

    /// Refuses new connections, as a server that is down; those that are open stay.
    /// One that is made in the same moment may be reset instead.
    pub fn refuse(&self) {
        self.set(Mode::Refuse);
    }

    /// Cuts all connections that are open.
    pub fn cut(&self) {
        self.line.send_modify(|line| line.cuts += 1);
    }

    /// Tells the clients of all open connections that nothing more comes, while
    /// what they send is still passed on.
    pub fn half_close(&self) {
        self.line.send_modify(|line| line.half_closes += 1);
    }

    fn set(&self, mode: Mode) {
        self.line.send_modify(|line| line.mode = mode);
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A socket on `address` that does not mind another one there.
fn reusable(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("there are sockets");
    socket.set_reuseaddr(true).expect("sockets can be reused");
    socket.bind(address).expect("the port is ours");
    socket
}

struct Acceptor {
    address: SocketAddr,
    target: String,
    line: watch::Receiver<Line>,
    open: Arc<AtomicUsize>,
}

impl Acceptor {
    async fn run(mut self, ready: tokio::sync::oneshot::Sender<()>) {
        let mut listener = Some(self.listen());
        // Whoever waits for it has given up if it cannot be told.
        let _ = ready.send(());
        loop {
            let refusing = self.line.borrow_and_update().mode == Mode::Refuse;
            match (&listener, refusing) {
                (Some(_), true) => listener = None,
                (None, false) => listener = Some(self.listen()),
                _ => {}
            }
            tokio::select! {
                changed = self.line.changed() => if changed.is_err() { return },
                Some(client) = accept(listener.as_ref()) => {
                    // One that came in before the listener was closed is refused as well.
                    if self.line.borrow().mode == Mode::Refuse {
                        drop(client.set_zero_linger());
                        continue;
                    }
                    let (target, line, open) = (self.target.clone(), self.line.clone(), self.open.clone());
                    tokio::spawn(connection(client, target, line, open));
                }
            }
        }
    }

    fn listen(&self) -> TcpListener {
        reusable(self.address)
            .listen(128)
            .expect("the port is still ours")
    }
}

/// The next client; with nobody listening, never.
async fn accept(listener: Option<&TcpListener>) -> Option<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.ok().map(|(client, _)| client),
        None => std::future::pending().await,
    }
}

async fn connection(
    mut client: TcpStream,
    target: String,
    mut line: watch::Receiver<Line>,
    open: Arc<AtomicUsize>,
) {
    let began = *line.borrow();
    open.fetch_add(1, Ordering::AcqRel);
    // With the server away the client's connection ends right after it began.
    if let Ok(mut server) = TcpStream::connect(target).await {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let up = pump(from_client, to_server, line.clone(), None);
        let down = pump(from_server, to_client, line.clone(), Some(began.half_closes));
        let cut = tokio::select! {
            _ = async { tokio::join!(up, down) } => false,
            _ = line.wait_for(|line| line.cuts != began.cuts) => true,
        };
        if cut {
            // Reset, not closed in an orderly way: the peers must not take it for a goodbye.
            drop(client.set_zero_linger());
            drop(server.set_zero_linger());
        }
    }
    open.fetch_sub(1, Ordering::AcqRel);
}

/// One direction of a connection, until its end or, if there is a number of
/// half-closes at which it began, until there are more.
async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut line: watch::Receiver<Line>,
    half_closes: Option<u64>,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let now = *line.borrow_and_update();
        if half_closes.is_some_and(|began| began != now.half_closes) {
            break;
        }
        let read = tokio::select! {
            // What is read goes by what was set before it came.
            biased;
            changed = line.changed() => if changed.is_err() { return } else { continue },
            read = from.read(&mut buffer), if now.mode != Mode::BlackHole => read,
        };
        let Some(data) = read
            .ok()
            .and_then(|length| buffer.get(..length))
            .filter(|data| !data.is_empty())
        else {
            break;
        };
        if let Mode::Delay(by) = now.mode {
            tokio::time::sleep(by).await;
        }
        if to.write_all(data).await.is_err() {
            return;
        }
    }
    // One that is closed already needs no goodbye.
    drop(to.shutdown().await);
}
