use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below what Linux and macOS give to outgoing connections, so that none of those takes a
/// port between its choice here and the start of whoever is to listen on it.
const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// An address of this machine that nobody listens on, and that is given once only.
///
/// For what is started by its configuration; what the test binds itself takes port 0.
pub fn free_address() -> SocketAddr {
    // Processes that run beside each other begin apart.
    let start = process::id().wrapping_mul(97) % u32::from(COUNT);
    let start = u16::try_from(start).expect("less than a port");
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(step < COUNT, "no port is free");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + (start + step) % COUNT));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}
