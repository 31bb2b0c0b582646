//! Certificates. The ones in `tls/` are for these tests alone: an authority, whose key was thrown away, and a
//! certificate of it for 127.0.0.1, valid until 2126.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use serde_json::json;

use crate::call::Call;

fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "http", "tls", name].iter().collect()
}

/// Answers one request over TLS, if the client goes on after it has seen the certificate. Gives the URL.
fn serve_once() -> String {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let certificate = CertificateDer::from_pem_file(file("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut socket = listener.accept().unwrap().0;
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = Stream::new(&mut connection, &mut socket);
        if stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
            stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").ok();
        }
    });
    format!("https://{address}/")
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_by_file() {
    let params = json!({"url": serve_once(), "ca_file": file("authority.pem")});
    assert_eq!(Call::check().outputs(&params).await["status"], 204);
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent() {
    let url = serve_once();
    let failure = Call::request().apply(&json!({"method": "POST", "url": url})).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        format!(
            "POST {url}: cannot connect: invalid peer certificate: UnknownIssuer; give its authority as `ca_file`"
        )
    );
    assert_eq!(failure.kind, lifeboat_action::FailureKind::Transient);
}

#[tokio::test]
async fn an_authority_that_cannot_be_read_is_said() {
    for (name, expected) in
        [("gone.pem", "No such file or directory"), ("server.key", "holds no certificate")]
    {
        let why = Call::check().blocked(&json!({"url": "https://127.0.0.1:9/", "ca_file": file(name)})).await;
        assert!(why.contains(&format!("{name}: {expected}")), "{why}");
    }
}
