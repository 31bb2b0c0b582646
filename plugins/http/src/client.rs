//! A client for one call: its own TLS configuration, so that nothing global has to be installed first.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

const MOST_REDIRECTS: usize = 5;

/// Makes the client. Trusts the authorities that browsers trust, and those in `ca_file`.
pub(crate) async fn client(
    ca_file: Option<&Path>,
    follow_redirects: bool,
    connect_within: Duration,
) -> Result<Client, String> {
    let policy = if follow_redirects { Policy::custom(follow) } else { Policy::none() };
    Client::builder()
        .tls_backend_preconfigured(tls(ca_file).await?)
        .redirect(policy)
        .retry(reqwest::retry::never())
        .connect_timeout(connect_within)
        .user_agent(concat!("lifeboat/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| format!("cannot make an HTTP client: {}", error.without_url()))
}

async fn tls(ca_file: Option<&Path>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = ca_file {
        add_authorities(&mut roots, path).await.map_err(|why| format!("{}: {why}", path.display()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| format!("cannot set up TLS: {error}"))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn add_authorities(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let text = tokio::fs::read(path).await.map_err(|error| error.to_string())?;
    let found = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|error| format!("is not PEM: {error}"))?;
    if found.is_empty() {
        return Err("holds no certificate".to_owned());
    }
    for certificate in found {
        roots
            .add(certificate)
            .map_err(|error| format!("holds a certificate that is no authority: {error}"))?;
    }
    Ok(())
}

/// Follows a redirect on the same origin, or from http to https on the same host: headers may hold secrets, and they
/// go wherever the request goes. Any other redirect is the answer.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let allowed = attempt.previous().last().is_some_and(|from| is_home(from, attempt.url()));
    if allowed && attempt.previous().len() <= MOST_REDIRECTS { attempt.follow() } else { attempt.stop() }
}

fn is_home(from: &Url, to: &Url) -> bool {
    let upgraded = (from.scheme(), to.scheme()) == ("http", "https") && from.host() == to.host();
    upgraded || from.origin() == to.origin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_redirects_that_stay_at_home_are_followed() {
        let home = |from: &str, to: &str| is_home(&from.parse().unwrap(), &to.parse().unwrap());
        assert!(home("https://a.example/x", "https://a.example/y"));
        assert!(home("http://a.example/x", "https://a.example/x"));
        assert!(!home("https://a.example/x", "http://a.example/x"));
        assert!(!home("https://a.example/x", "https://b.example/x"));
        assert!(!home("https://a.example/x", "https://a.example:8443/x"));
    }
}
