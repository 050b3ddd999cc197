//! Where a push service may be. Endpoints come from users, and whoever could make this
//! process ask any address could reach what only the inside reaches.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The longest endpoint that is taken, in bytes.
const ENDPOINT: usize = 2048;

/// An endpoint that may not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    /// It is no URL, too long, without a host, or has a password in it.
    #[error("not the URL of a push service")]
    NoUrl,
    /// It is not by TLS.
    #[error("must begin with https://")]
    NotSecure,
    /// It leads inside.
    #[error("must be on the public internet")]
    NotPublic,
}

/// The URL of an endpoint that may be asked, as far as that can be seen before its name is
/// looked up. `private_endpoints` allows this machine and private networks, without TLS too.
pub fn check_endpoint(endpoint: &str, private_endpoints: bool) -> Result<Url, BadEndpoint> {
    let url = Url::parse(endpoint).map_err(|_| BadEndpoint::NoUrl)?;
    let has_password = !url.username().is_empty() || url.password().is_some();
    if endpoint.len() > ENDPOINT || has_password || !matches!(url.scheme(), "https" | "http") {
        return Err(BadEndpoint::NoUrl);
    }
    if private_endpoints {
        return Ok(url);
    }
    if url.scheme() != "https" {
        return Err(BadEndpoint::NotSecure);
    }
    match url.host() {
        Some(Host::Ipv4(address)) if is_public(address.into()) => Ok(url),
        Some(Host::Ipv6(address)) if is_public(address.into()) => Ok(url),
        Some(Host::Domain(_)) => Ok(url),
        _ => Err(BadEndpoint::NotPublic),
    }
}

/// Whether an address is on the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By IANA's registry of special-purpose addresses.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        // This network; shared by carriers (100.64/10); protocol assignments; benchmarks;
        // 6to4 relays; multicast, reserved and broadcast.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
        || (a == 192 && b == 88 && c == 99)
        || a >= 224;
    !special
}

/// Global unicast is `2000::/3`; of it, what is set aside or wraps an IPv4 address is out.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(inner) = address.to_ipv4_mapped() {
        return is_public_v4(inner);
    }
    let [a, b, ..] = address.segments();
    let is_set_aside = match a {
        // Protocol assignments with Teredo; documentation.
        0x2001 => b < 0x0200 || b == 0x0db8,
        // 6to4.
        0x2002 => true,
        // Documentation.
        0x3fff => b < 0x1000,
        _ => false,
    };
    (a & 0xe000) == 0x2000 && !is_set_aside
}

/// Looks names up, and knows nobody inside. What it answers is what is connected to, so
/// that a name cannot lead elsewhere after it was checked.
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(BadEndpoint::NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_may_be_asked() {
        for endpoint in [
            "https://fcm.googleapis.com/fcm/send/x",
            "https://8.8.8.8/x",
            "https://[2600::1]/x",
        ] {
            assert!(check_endpoint(endpoint, false).is_ok(), "{endpoint}");
        }
        for (endpoint, why) in [
            ("http://fcm.googleapis.com/x", BadEndpoint::NotSecure),
            ("ftp://example.org/x", BadEndpoint::NoUrl),
            ("not a url", BadEndpoint::NoUrl),
            ("https://user:pass@example.org/x", BadEndpoint::NoUrl),
            ("https://127.0.0.1/x", BadEndpoint::NotPublic),
            ("https://0x7f000001/x", BadEndpoint::NotPublic),
            ("https://2130706433/x", BadEndpoint::NotPublic),
            ("https://10.1.2.3/x", BadEndpoint::NotPublic),
            ("https://172.20.0.1/x", BadEndpoint::NotPublic),
            ("https://192.168.0.1/x", BadEndpoint::NotPublic),
            ("https://169.254.169.254/latest/meta-data", BadEndpoint::NotPublic),
            ("https://100.100.0.1/x", BadEndpoint::NotPublic),
            ("https://0.0.0.0/x", BadEndpoint::NotPublic),
            ("https://255.255.255.255/x", BadEndpoint::NotPublic),
            ("https://[::1]/x", BadEndpoint::NotPublic),
            ("https://[::ffff:127.0.0.1]/x", BadEndpoint::NotPublic),
            ("https://[fe80::1]/x", BadEndpoint::NotPublic),
            ("https://[fd00::1]/x", BadEndpoint::NotPublic),
            ("https://[64:ff9b::7f00:1]/x", BadEndpoint::NotPublic),
            ("https://[2002:7f00:1::]/x", BadEndpoint::NotPublic),
            ("https://[2001:db8::1]/x", BadEndpoint::NotPublic),
            ("https://[3fff::1]/x", BadEndpoint::NotPublic),
        ] {
            assert_eq!(check_endpoint(endpoint, false), Err(why), "{endpoint}");
        }
        let long = format!("https://example.org/{}", "x".repeat(ENDPOINT));
        assert_eq!(check_endpoint(&long, false), Err(BadEndpoint::NoUrl));
        assert!(check_endpoint("http://127.0.0.1:9/x", true).is_ok());
    }

    #[tokio::test]
    async fn names_that_lead_inside_lead_nowhere() {
        let found = PublicOnly.resolve("localhost".parse().unwrap()).await;
        assert_eq!(found.err().unwrap().to_string(), "must be on the public internet");
    }
}
