//! Signed messages: what anybody may send is accepted if, and only if, it was made with a secret of ours.

use contract::{
    Timestamp,
    signing::{Refusal, Secrets, SignedHeaders},
};

use crate::text;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The receiver's clock, at the time of the published test vector.
const NOW: i64 = 1_649_367_553;

/// Entries that are read of a header.
const ENTRIES: usize = 32;

/// Three lines with the id, the timestamp and the signature, then the body.
///
/// # Panics
/// If a property does not hold.
pub fn signature(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let headers = SignedHeaders { id: text(part()), timestamp: text(part()), signature: text(part()) };
    let body = part();

    let ours = secrets(SECRET);
    let verdict = ours.verify(&headers, body, at(NOW));
    assert_eq!(verdict.is_ok(), was_made_by(&ours, &headers, body), "{headers:?}: {verdict:?}");
    assert_ne!(secrets(OTHER).verify(&headers, body, at(NOW)), Ok(()), "nobody has this secret");

    let id = &headers.id;
    let signed = ours.sign(id, at(NOW), body);
    if is_id(id) {
        check_ours(&ours, &signed, body);
    } else {
        assert_eq!(verdict, Err(Refusal::Headers));
        assert_eq!(ours.verify(&signed, body, at(NOW)), Err(Refusal::Headers));
    }
}

/// What is signed by us is accepted, and nothing else that is like it.
fn check_ours(ours: &Secrets, signed: &SignedHeaders, body: &[u8]) {
    let refused = Err(Refusal::Signature);
    for late in [-301, -300, 0, 300, 301_i64] {
        let verdict = ours.verify(signed, body, at(NOW + late));
        assert_eq!(verdict, if late.abs() <= 300 { Ok(()) } else { Err(Refusal::Timestamp) });
    }
    assert_eq!(secrets(OTHER).verify(signed, body, at(NOW)), refused);
    let both = secrets(&format!("{OTHER},{SECRET}"));
    assert_eq!(both.verify(signed, body, at(NOW)), Ok(()));
    assert_eq!(ours.verify(&both.sign(&signed.id, at(NOW), body), body, at(NOW)), Ok(()));

    let mut longer = body.to_vec();
    longer.push(b' ');
    assert_eq!(ours.verify(signed, &longer, at(NOW)), refused);
    for (index, byte) in body.iter().enumerate().step_by(body.len() / 8 + 1) {
        let mut changed = body.to_vec();
        changed[index] = byte ^ 1;
        assert_eq!(ours.verify(signed, &changed, at(NOW)), refused);
    }
    let other_id = SignedHeaders { id: other_id(&signed.id), ..signed.clone() };
    assert_eq!(ours.verify(&other_id, body, at(NOW)), refused);
    let other_time = SignedHeaders { timestamp: (NOW + 1).to_string(), ..signed.clone() };
    assert_eq!(ours.verify(&other_time, body, at(NOW)), refused);

    let request = ours.sign_request(&signed.id, at(NOW), "POST", "/api/generations", body);
    let opens = |method, target| ours.verify_request(&request, method, target, body, at(NOW));
    assert_eq!(opens("POST", "/api/generations"), Ok(()));
    assert_eq!(opens("GET", "/api/generations"), refused);
    assert_eq!(opens("POST", "/api/generations/status"), refused);
    assert_eq!(ours.verify(&request, body, at(NOW)), refused);
}

/// Whether one of the signatures is the one that we would give.
fn was_made_by(ours: &Secrets, headers: &SignedHeaders, body: &[u8]) -> bool {
    let Ok(time) = headers.timestamp.parse::<i64>() else { return false };
    if !is_id(&headers.id) || !(NOW - 300..=NOW + 300).contains(&time) {
        return false;
    }
    let signed = ours.sign(&headers.id, at(time), body);
    let mut entries = headers.signature.split(' ').take(ENTRIES);
    signed.timestamp == headers.timestamp && entries.any(|entry| entry == signed.signature)
}

fn is_id(id: &str) -> bool {
    (1..=255).contains(&id.len()) && !id.contains('.')
}

/// Another id as long as the first.
fn other_id(id: &str) -> String {
    let mut rest = id.chars();
    let first = if rest.next() == Some('a') { 'b' } else { 'a' };
    std::iter::once(first).chain(rest).collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn secrets(list: &str) -> Secrets {
    Secrets::parse(list).unwrap_or_else(|error| unreachable!("{error}"))
}
