//! TLS over TCP: what both ends say before they encrypt. One event per handshake, when it is established or has failed.

mod ja4;
mod names;
pub(super) mod record;
mod wire;

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::event::Time;
use crate::proto::{Context, Dir, Next, Parser, Unfinished, Verdict, text};
use record::Ssl as Handshake;

/// Bytes of one unfinished handshake message.
const MAX_MESSAGE: usize = 128 * 1024;
/// Certificates of one chain.
const MAX_CERTIFICATES: usize = 16;
/// Letters of `ssl_history`, as Zeek has it.
const MAX_HISTORY: usize = 100;

/// Whether a stream is TLS, by its first record.
pub(crate) fn probe(bytes: &[u8], dir: Dir, _: bool) -> Verdict {
    if dir == Dir::Orig && wire::v2_hello(bytes).is_some() {
        return Verdict::Yes;
    }
    let hello = if dir == Dir::Orig {
        wire::CLIENT_HELLO
    } else {
        wire::SERVER_HELLO
    };
    match bytes {
        [wire::HANDSHAKE, 3, 0..=4, _, _, kind, ..] if *kind == hello || *kind == wire::CLIENT_HELLO => Verdict::Yes,
        [wire::ALERT, 3, 0..=4, 0, 2, 1..=2, _, ..] => Verdict::Yes,
        [wire::HANDSHAKE | wire::ALERT, 3, 0..=4, ..] | [wire::HANDSHAKE | wire::ALERT, 3] if bytes.len() < 7 => {
            Verdict::More
        }
        [wire::HANDSHAKE | wire::ALERT] => Verdict::More,
        [first, _, 1, ..] if first & 0x80 != 0 && bytes.len() < 11 && dir == Dir::Orig => Verdict::More,
        [first] | [first, _] if first & 0x80 != 0 && dir == Dir::Orig => Verdict::More,
        _ => Verdict::No,
    }
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[derive(Default)]
struct Side {
    /// An unfinished record.
    partial: Unfinished,
    /// Bytes of a record that nobody reads.
    skip: usize,
    /// An unfinished handshake message, out of one or more records.
    message: Unfinished,
    encrypted: bool,
    lost: bool,
}

/// TLS of one connection.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // facts of a handshake that do not exclude each other
pub(crate) struct Ssl {
    sides: [Side; 2],
    client: Option<Dir>,
    started: Option<Time>,
    handshake: Handshake,
    version: u16,
    session_id: Vec<u8>,
    ticket_without_session: bool,
    key_exchanged: bool,
    psk_offered: bool,
    emitted: bool,
}

impl Ssl {
    fn is_client(&self, dir: Dir) -> bool {
        self.client.unwrap_or(Dir::Orig) == dir
    }

    fn note(&mut self, dir: Dir, letter: u8) {
        if self.handshake.history.len() < MAX_HISTORY {
            let letter = if self.is_client(dir) {
                letter.to_ascii_uppercase()
            } else {
                letter
            };
            self.handshake.history.push(char::from(letter));
        }
    }

    fn is_tls13(&self) -> bool {
        self.version == 0x0304 || matches!(self.version >> 8, 0x7e | 0x7f)
    }

    fn record(&mut self, context: &mut Context<'_>, dir: Dir, kind: u8, payload: &[u8]) -> Next {
        self.started.get_or_insert(context.ts);
        if self.sides[dir.index()].encrypted {
            return self.ciphertext(context);
        }
        match kind {
            wire::CHANGE_CIPHER_SPEC => {
                self.note(dir, b'i');
                if self.is_client(dir) && self.ticket_without_session && !self.key_exchanged {
                    self.handshake.resumed = true;
                }
                self.sides[dir.index()].encrypted = true;
            }
            wire::ALERT => {
                let [_, description, ..] = payload else {
                    return Next::NotMine;
                };
                self.note(dir, b'l');
                self.handshake.last_alert = Some(names::alert(*description));
            }
            wire::HEARTBEAT => self.note(dir, b'b'),
            wire::APPLICATION_DATA if self.is_tls13() => {
                self.sides[dir.index()].encrypted = true;
                return self.ciphertext(context);
            }
            wire::APPLICATION_DATA => {
                if self.handshake.version.is_some() {
                    context.weird("ssl_early_application_data", None, None);
                }
            }
            _ => return self.fragment(context, dir, payload),
        }
        Next::More
    }

    /// Once both ends encrypt, the handshake has succeeded.
    fn ciphertext(&mut self, context: &mut Context<'_>) -> Next {
        if self.sides.iter().all(|side| side.encrypted) {
            self.handshake.established = true;
            self.emit(context);
            return Next::Bulk;
        }
        Next::More
    }

    fn fragment(&mut self, context: &mut Context<'_>, dir: Dir, payload: &[u8]) -> Next {
        let mut unfinished = std::mem::take(&mut self.sides[dir.index()].message);
        let result = unfinished.feed(payload, |bytes| {
            let mut used = 0;
            while let Some((kind, body, length)) = wire::message(&bytes[used..]) {
                used += length;
                if self.message(context, dir, kind, body).is_none() {
                    return Err("ssl_malformed_handshake");
                }
            }
            match wire::announced(&bytes[used..]) {
                Some(length) if length > MAX_MESSAGE => Err("ssl_excessive_handshake_message"),
                _ => Ok(used),
            }
        });
        self.sides[dir.index()].message = unfinished;
        match result {
            Ok(()) => Next::More,
            Err(name) => {
                context.weird(name, None, Some("SSL"));
                Next::NotMine
            }
        }
    }

    fn message(&mut self, context: &mut Context<'_>, dir: Dir, kind: u8, body: &[u8]) -> Option<()> {
        match kind {
            wire::CLIENT_HELLO => self.client_hello(context, dir, body)?,
            wire::SERVER_HELLO => return self.server_hello(context, dir, body),
            11 => self.certificates(dir, body),
            12 => {
                let uses_curve = self
                    .handshake
                    .cipher
                    .as_ref()
                    .is_some_and(|name| name.starts_with("TLS_ECDH"));
                if let Some(curve) = wire::named_curve(body).filter(|_| uses_curve) {
                    self.handshake.curve = Some(names::group(curve));
                }
            }
            16 if self.is_client(dir) => self.key_exchanged = true,
            _ => {}
        }
        self.note(dir, names::letter(kind));
        Some(())
    }

    fn client_hello(&mut self, context: &mut Context<'_>, dir: Dir, body: &[u8]) -> Option<()> {
        let hello = wire::client_hello(body)?;
        context.confirm("ssl");
        if self.client.is_none() {
            self.client = Some(dir);
            if dir == Dir::Resp {
                self.handshake.history.push('^');
            }
        }
        self.handshake.ja4 = Some(ja4::fingerprint(&hello, 't'));
        if let Some(name) = hello.server_name {
            self.handshake.server_name = Some(text(&name));
        }
        self.ticket_without_session |= hello.has_ticket;
        self.psk_offered |= hello.has_psk;
        if !hello.session_id.is_empty() && hello.session_id != [0; 32] {
            self.session_id = hello.session_id;
            self.ticket_without_session = false;
        }
        Some(())
    }

    fn server_hello(&mut self, context: &mut Context<'_>, dir: Dir, body: &[u8]) -> Option<()> {
        let hello = wire::server_hello(body)?;
        context.confirm("ssl");
        self.client
            .get_or_insert(if dir == Dir::Resp { Dir::Orig } else { Dir::Resp });
        self.version = hello.selected_version.unwrap_or(hello.version);
        self.handshake.version = Some(names::version(self.version));
        self.handshake.cipher = Some(names::cipher(hello.cipher));
        if let Some(group) = hello.group {
            self.handshake.curve = Some(names::group(group));
        }
        if let Some(protocol) = hello.alpn {
            self.handshake.next_protocol = Some(text(&protocol));
        }
        let same_session = !self.session_id.is_empty() && self.session_id == hello.session_id;
        self.handshake.resumed |= same_session && !self.is_tls13() || hello.has_psk && self.psk_offered;
        self.note(dir, if hello.is_retry { b'j' } else { b's' });
        Some(())
    }

    fn certificates(&mut self, dir: Dir, body: &[u8]) {
        let chain = wire::certificates(body);
        let prints = chain
            .iter()
            .take(MAX_CERTIFICATES)
            .map(|certificate| hex(&Sha256::digest(certificate)))
            .collect();
        if self.is_client(dir) {
            self.handshake.client_fingerprints = prints;
        } else {
            self.handshake.fingerprints = Some(prints);
        }
    }

    fn emit(&mut self, context: &mut Context<'_>) {
        if !self.emitted {
            self.emitted = true;
            let started = self.started.unwrap_or(context.ts);
            context.emit(started, std::mem::take(&mut self.handshake));
        }
    }

    /// One record, or the part of it that is there; returns how many bytes were used, 0 where more are needed.
    fn step(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Result<usize, Next> {
        if self.started.is_none() && dir == Dir::Orig && bytes[0] & 0x80 != 0 {
            if bytes.len() < 11 {
                return Ok(0);
            }
            let length = wire::v2_hello(bytes).ok_or(Next::NotMine)?;
            self.started = Some(context.ts);
            context.confirm("ssl");
            self.client = Some(dir);
            self.note(dir, b'c');
            let now = length.min(bytes.len());
            self.sides[dir.index()].skip = length - now;
            return Ok(now);
        }
        let Some(head) = bytes.first_chunk() else { return Ok(0) };
        let (kind, length) = wire::record_header(*head).ok_or(Next::NotMine)?;
        let whole = wire::RECORD_HEADER + length;
        let opaque = kind == wire::APPLICATION_DATA || self.sides[dir.index()].encrypted;
        if bytes.len() < whole && !opaque {
            return Ok(0);
        }
        let used = whole.min(bytes.len());
        self.sides[dir.index()].skip = whole - used;
        match self.record(context, dir, kind, &bytes[wire::RECORD_HEADER..used]) {
            Next::More => Ok(used),
            other => Err(other),
        }
    }
}

impl Parser for Ssl {
    fn name(&self) -> &'static str {
        "ssl"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        let side = &mut self.sides[dir.index()];
        if side.lost {
            return Next::More;
        }
        let skipped = side.skip.min(bytes.len());
        side.skip -= skipped;
        let bytes = &bytes[skipped..];
        let mut unfinished = std::mem::take(&mut side.partial);
        let result = unfinished.each(bytes, |bytes| self.step(context, dir, bytes));
        self.sides[dir.index()].partial = unfinished;
        result.err().unwrap_or(Next::More)
    }

    fn gap(&mut self, _: &mut Context<'_>, dir: Dir, n: u64) -> Next {
        let side = &mut self.sides[dir.index()];
        if n > 0 && n <= side.skip as u64 {
            side.skip -= n as usize;
            return Next::More;
        }
        // Where the next record starts is unknown from here on.
        *side = Side {
            lost: true,
            encrypted: side.encrypted,
            ..Side::default()
        };
        if self.sides.iter().all(|side| side.lost) {
            Next::Bulk
        } else {
            Next::More
        }
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        if self.started.is_some() {
            self.emit(context);
        }
    }
}

#[cfg(test)]
mod tests;
