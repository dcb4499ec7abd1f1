//! The links against a server that answers as told.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use simwarden_app::log::{CosignError, Cosigner as _, Fetch as _};
use simwarden_links::{HttpCosigner, HttpFetch};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

/// Answers one request and gives back what was asked.
fn answering(status: &str, body: Vec<u8>) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/log", listener.local_addr().unwrap());
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let task = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let count = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..count]);
            let text = String::from_utf8_lossy(&request);
            if count == 0
                || text.starts_with("GET ") && text.ends_with("\r\n\r\n")
                || text.ends_with("the end")
            {
                break;
            }
        }
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&body);
        String::from_utf8(request).unwrap()
    });
    (address, task)
}

async fn cosign(status: &str, body: &[u8]) -> (Result<Vec<u8>, CosignError>, String) {
    let (address, task) = answering(status, body.to_vec());
    let answer = HttpCosigner::new(&address)
        .unwrap()
        .cosign(b"old 0\n\nthe end".to_vec())
        .await;
    (answer, task.join().unwrap())
}

#[tokio::test]
async fn a_witness_is_asked_and_its_answers_are_told_apart() {
    let (answer, request) = cosign("200 OK", b"a line\n").await;
    assert_eq!(answer.unwrap(), b"a line\n");
    assert!(
        request.starts_with("POST /log/add-checkpoint HTTP/1.1\r\n"),
        "{request}"
    );
    let (answer, _) = cosign("409 Conflict", b"42\n").await;
    assert!(matches!(answer, Err(CosignError::Conflict { latest: 42 })));
    let (answer, _) = cosign("409 Conflict", b"what").await;
    assert!(matches!(answer, Err(CosignError::Refused { status: 409, .. })));
    let (answer, _) = cosign("422 No", b"split\n").await;
    assert!(matches!(answer, Err(CosignError::Refused { status: 422, reason }) if reason == "split"));
    let (answer, _) = cosign("302 Found", b"").await;
    assert!(
        matches!(answer, Err(CosignError::Refused { status: 302, .. })),
        "no redirect is followed"
    );
    let (answer, _) = cosign("200 OK", &vec![b'x'; 2_000_000]).await;
    assert!(matches!(answer, Err(CosignError::Unreachable(reason)) if reason.contains("more than")));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let answer = HttpCosigner::new(&format!("http://{closed}"))
        .unwrap()
        .cosign(Vec::new())
        .await;
    assert!(matches!(answer, Err(CosignError::Unreachable(_))));
}

#[test]
fn files_are_fetched_within_their_bounds() {
    let (address, task) = answering("200 OK", vec![7; 32]);
    let fetch = HttpFetch::new(&address, Some("secret".into())).unwrap();
    assert_eq!(fetch.fetch("tile/0/000.p/1", 32).unwrap(), Some(vec![7; 32]));
    let request = task.join().unwrap().to_lowercase();
    assert!(
        request.starts_with("get /log/tile/0/000.p/1 ") && request.contains("authorization: bearer secret")
    );
    let (address, _) = answering("404 Not Found", Vec::new());
    assert_eq!(
        HttpFetch::new(&address, None)
            .unwrap()
            .fetch("checkpoint", 9)
            .unwrap(),
        None
    );
    let (address, _) = answering("200 OK", vec![7; 33]);
    assert!(
        HttpFetch::new(&address, None)
            .unwrap()
            .fetch("tile/0/000.p/1", 32)
            .is_err()
    );
    let (address, _) = answering("503 Later", b"busy".to_vec());
    let error = HttpFetch::new(&address, None)
        .unwrap()
        .fetch("checkpoint", 99)
        .unwrap_err();
    assert!(error.to_string().contains("503: busy"), "{error}");
}
