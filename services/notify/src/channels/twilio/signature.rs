//! Twilio's request signatures: HMAC-SHA1 by the account's token over the URL and the
//! sorted form fields (<https://www.twilio.com/docs/usage/security>).

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// Signs a form post to `url` as Twilio does: the value of its `X-Twilio-Signature`.
pub fn sign(auth_token: &SecretString, url: &str, params: &[(String, String)]) -> String {
    STANDARD.encode(hmac::sign(&key(auth_token), &signed(url, params)))
}

/// Whether `header`, an `X-Twilio-Signature`, is that of the account with `auth_token` for
/// a form post of `params` to `url`, which is the URL that Twilio was given. Takes the same
/// time whatever the header says.
///
/// Twilio is not consistent about naming a scheme's own port, so both spellings count.
pub fn verify_signature(
    auth_token: &SecretString,
    url: &str,
    params: &[(String, String)],
    header: &str,
) -> bool {
    let Ok(signature) = STANDARD.decode(header) else {
        return false;
    };
    let key = key(auth_token);
    let is = |url: &str| hmac::verify(&key, &signed(url, params), &signature).is_ok();
    // Not `||`: both are always computed.
    is(url) | other_spelling(url).is_some_and(|url| is(&url))
}

fn key(auth_token: &SecretString) -> hmac::Key {
    let token = auth_token.expose_secret().as_bytes();
    hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token)
}

/// Fields sorted by name. Of a repeated one every value counts once, sorted too.
fn signed(url: &str, params: &[(String, String)]) -> Vec<u8> {
    let mut sorted: Vec<&(String, String)> = params.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut text = url.as_bytes().to_vec();
    for (name, value) in sorted {
        text.extend_from_slice(name.as_bytes());
        text.extend_from_slice(value.as_bytes());
    }
    text
}

/// The URL with its scheme's own port named where it was not, and the other way round.
fn other_spelling(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    if url.port().is_some() {
        return None;
    }
    let (bare, named) = (format!("//{host}"), format!("//{host}:{port}"));
    if text.contains(&named) {
        Some(text.replacen(&named, &bare, 1))
    } else {
        Some(text.replacen(&bare, &named, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Vec<(String, String)> {
        [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675309"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";

    /// The example of Twilio's documentation and libraries.
    #[test]
    fn the_published_example_is_signed_so() {
        let token = SecretString::from("12345");
        assert_eq!(sign(&token, URL, &params()), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
        let mut shuffled = params();
        shuffled.reverse();
        assert!(verify_signature(
            &token,
            URL,
            &shuffled,
            "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        ));
    }

    /// The libraries' example of a repeated field.
    #[test]
    fn each_value_of_a_repeated_field_counts_once() {
        let token = SecretString::from("12345");
        let params = [
            ("Sid", "CA123"),
            ("SidAccount", "AC123"),
            ("Digits", "5678"),
            ("Digits", "1234"),
            ("Digits", "1234"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!(verify_signature(
            &token,
            URL,
            &params,
            "IK+Dwps556ElfBT0I3Rgjkr1wJU="
        ));
    }

    #[test]
    fn the_schemes_own_port_may_be_named_or_not() {
        let token = SecretString::from("12345");
        let named = "https://mycompany.com:443/myapp.php?foo=1&bar=2";
        let signature = sign(&token, named, &params());
        assert!(verify_signature(&token, URL, &params(), &signature));
        assert!(verify_signature(
            &token,
            named,
            &params(),
            "RSOYDt4T1cUTdK1PDd93/VVr8B8="
        ));
        let elsewhere = "https://mycompany.com:8443/myapp.php?foo=1&bar=2";
        assert!(!verify_signature(&token, elsewhere, &params(), &signature));
    }

    #[test]
    fn anything_else_is_not_signed() {
        let token = SecretString::from("12345");
        let good = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
        let mut changed = params();
        changed[0].1.push('F');
        assert!(!verify_signature(&token, URL, &changed, good));
        assert!(!verify_signature(
            &SecretString::from("12346"),
            URL,
            &params(),
            good
        ));
        assert!(!verify_signature(
            &token,
            "https://mycompany.com/",
            &params(),
            good
        ));
        for header in [
            "",
            "RSOYDt4T1cUTdK1PDd93",
            "not base64",
            "RSOYDt4T1cUTdK1PDd93/VVr8B9=",
        ] {
            assert!(!verify_signature(&token, URL, &params(), header));
        }
    }
}
