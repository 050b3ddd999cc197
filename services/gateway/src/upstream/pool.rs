//! The replicas of a service, and which one gets the next request.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use crate::config::{Settings, origin_of};
use crate::plan::is_realtime;

/// How a replica stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Standing {
    /// Ready, or not asked yet.
    Ready = 0,
    /// It serves this service, though another one in its process is down.
    Weak = 1,
    /// It takes connections and did not say in time how it is: overloaded, or it hangs. It is asked
    /// when nobody better is there, because a late answer is better than none.
    Slow = 2,
    /// Draining, down or dead.
    Away = 3,
}

/// One replica of one service.
pub(crate) struct Member {
    /// Where it is.
    pub(crate) address: SocketAddr,
    standing: AtomicU8,
    outstanding: AtomicUsize,
}

impl Member {
    pub(crate) fn standing(&self) -> Standing {
        match self.standing.load(Ordering::Relaxed) {
            0 => Standing::Ready,
            1 => Standing::Weak,
            2 => Standing::Slow,
            _ => Standing::Away,
        }
    }

    pub(crate) fn set_standing(&self, standing: Standing) {
        self.standing.store(standing as u8, Ordering::Relaxed);
    }
}

/// A request's place at a replica, until it is dropped.
pub(crate) struct Ticket(Arc<Member>);

impl Ticket {
    fn new(member: &Arc<Member>) -> Self {
        member.outstanding.fetch_add(1, Ordering::Relaxed);
        Self(member.clone())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// It did not even take the connection: nobody is sent there until a probe finds it alive.
    pub(crate) fn is_dead(&self) {
        self.0.set_standing(Standing::Away);
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.outstanding.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One service.
pub(crate) struct Pool {
    /// Its name.
    pub(crate) service: Arc<str>,
    /// Hosts and ports, as configured.
    pub(crate) origins: Vec<(String, u16)>,
    /// Whether it has live connections and nothing else: no document, no entry in `/health`.
    pub(crate) only_sockets: bool,
    members: RwLock<Arc<[Arc<Member>]>>,
    turn: AtomicUsize,
    /// From the request to the head of the answer.
    pub(crate) duration: metrics::Histogram,
    /// Tries that came to nothing.
    pub(crate) failures: metrics::Counter,
    /// Requests for which there was nobody to try.
    pub(crate) unserved: metrics::Counter,
}

impl Pool {
    pub(super) fn new(service: &str, origins: Vec<(String, u16)>, only_sockets: bool) -> Self {
        Self {
            service: service.into(),
            origins,
            only_sockets,
            members: RwLock::new(Arc::new([])),
            turn: AtomicUsize::new(0),
            duration: metrics::histogram!("parlour_upstream_duration_seconds", "service" => service.to_owned()),
            failures: metrics::counter!("parlour_upstream_failures_total", "service" => service.to_owned()),
            unserved: metrics::counter!("parlour_upstream_unserved_total", "service" => service.to_owned()),
        }
    }

    /// The replicas that are known.
    pub(crate) fn members(&self) -> Arc<[Arc<Member>]> {
        self.members
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Takes over the addresses that the names resolve to. Known replicas keep their counts.
    pub(crate) fn set_addresses(&self, addresses: &[SocketAddr]) {
        let known = self.members();
        if addresses.iter().eq(known.iter().map(|member| &member.address)) {
            return;
        }
        let member = |address: &SocketAddr| {
            let old = known.iter().find(|member| member.address == *address);
            old.cloned().unwrap_or_else(|| {
                Arc::new(Member {
                    address: *address,
                    standing: AtomicU8::new(Standing::Ready as u8),
                    outstanding: AtomicUsize::new(0),
                })
            })
        };
        let fresh = addresses.iter().map(member).collect();
        *self.members.write().unwrap_or_else(PoisonError::into_inner) = fresh;
    }

    /// The replica with the fewest requests under way, of those that stand best and were not tried.
    pub(crate) fn pick(&self, tried: &[SocketAddr]) -> Option<Ticket> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let count = members.len();
        // Equals take turns.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let in_turn = members.iter().cycle().skip(turn % count.max(1)).take(count);
        in_turn
            .filter(|member| member.standing() != Standing::Away && !tried.contains(&member.address))
            .min_by_key(|m| (m.standing() as u8, m.outstanding.load(Ordering::Relaxed)))
            .map(Ticket::new)
    }

    /// A certain replica, if it can take a request.
    pub(crate) fn at(&self, address: SocketAddr) -> Option<Ticket> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        let member = members.iter().find(|member| member.address == address)?;
        (member.standing() != Standing::Away).then(|| Ticket::new(member))
    }
}

/// All services that run elsewhere.
pub(crate) struct Pools(HashMap<Arc<str>, Arc<Pool>>);

impl Pools {
    /// From the settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        let mut pools = HashMap::new();
        for (service, urls) in settings.upstreams.iter().filter(|(_, urls)| !urls.0.is_empty()) {
            let origins = urls.0.iter().filter_map(|url| origin_of(url)).collect();
            let prefixes = settings.prefixes.get(service).map_or(&[][..], |listed| &listed.0);
            let only_sockets = !prefixes.is_empty() && prefixes.iter().all(|prefix| is_realtime(prefix));
            let pool = Pool::new(service, origins, only_sockets);
            pools.insert(pool.service.clone(), Arc::new(pool));
        }
        Self(pools)
    }

    pub(crate) fn get(&self, service: &str) -> Option<&Arc<Pool>> {
        self.0.get(service)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.0.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool() -> (Pool, Vec<SocketAddr>) {
        let pool = Pool::new("orders", Vec::new(), false);
        let addresses: Vec<SocketAddr> = (1..=3)
            .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
            .collect();
        pool.set_addresses(&addresses);
        (pool, addresses)
    }

    #[test]
    fn the_least_busy_gets_the_next() {
        let (pool, addresses) = pool();
        let tickets: Vec<Ticket> = (0..6).filter_map(|_| pool.pick(&[])).collect();
        for address in &addresses {
            assert_eq!(tickets.iter().filter(|t| t.address() == *address).count(), 2);
        }
        drop(tickets);
        assert!(
            pool.members()
                .iter()
                .all(|m| m.outstanding.load(Ordering::Relaxed) == 0)
        );
    }

    #[test]
    fn the_dead_and_the_tried_are_left_out() {
        let (pool, addresses) = pool();
        pool.at(addresses[0]).unwrap().is_dead();
        assert!(pool.at(addresses[0]).is_none());
        pool.members()[1].set_standing(Standing::Weak);
        for _ in 0..5 {
            assert_eq!(pool.pick(&[]).unwrap().address(), addresses[2]);
        }
        assert_eq!(pool.pick(&addresses[2..]).unwrap().address(), addresses[1]);
        assert!(pool.pick(&addresses[1..]).is_none());
        // Late is better than never, and worse than all else.
        pool.members()[2].set_standing(Standing::Slow);
        assert_eq!(pool.pick(&[]).unwrap().address(), addresses[1]);
        assert_eq!(pool.pick(&addresses[..2]).unwrap().address(), addresses[2]);
        // A name that resolves to something else keeps what is known of the rest.
        pool.set_addresses(&addresses[..2]);
        assert_eq!(pool.members()[0].standing(), Standing::Away);
    }
}
