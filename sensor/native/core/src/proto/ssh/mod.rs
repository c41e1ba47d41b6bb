//! SSH (RFC 4253): the versions, the algorithms and the host key that both ends say in clear, and how the log-in went, which
//! the lengths of the encrypted answers tell. One event per connection: at success, else at its end.

mod auth;
pub(super) mod record;
mod wire;

use sha2::{Digest, Sha256};

use crate::event::Time;
use crate::proto::{Context, Dir, Next, Parser, Unfinished, Verdict, text};
use auth::Auth;
use record::Ssh as Session;

/// Bytes of one line before the packets begin (RFC 4253, 4.2 allows 255).
const MAX_LINE: usize = 1024;
/// Lines that a server may send before its version.
const MAX_LINES: u32 = 64;
/// Encrypted bytes of both directions in which a log-in is looked for.
const MAX_WATCHED: u64 = 256 * 1024;

/// Whether a stream is SSH: either end starts with its version.
pub(crate) fn probe(bytes: &[u8], _: Dir, _: bool) -> Verdict {
    let shared = bytes.len().min(wire::START.len());
    match (bytes[..shared] == wire::START[..shared], shared == wire::START.len()) {
        (false, _) => Verdict::No,
        (true, false) => Verdict::More,
        (true, true) => Verdict::Yes,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Version,
    Packets,
    Encrypted,
    /// A gap or nonsense: where the next packet starts is unknown.
    Lost,
}

#[derive(Default)]
struct Side {
    stage: Stage,
    partial: Unfinished,
    lines: u32,
    offer: Option<wire::Offer>,
}

/// SSH on one connection.
#[derive(Default)]
pub(crate) struct Ssh {
    sides: [Side; 2],
    started: Option<Time>,
    session: Session,
    auth: Auth,
    watched: u64,
    emitted: bool,
}

impl Ssh {
    /// One line or packet, or the part of it that is there; returns how many bytes were used, 0 where more are needed.
    fn step(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Result<usize, Next> {
        match self.sides[dir.index()].stage {
            Stage::Version => self.line(context, dir, bytes),
            Stage::Packets => self.packet(context, dir, bytes),
            Stage::Encrypted => {
                self.encrypted(dir, bytes.len());
                Ok(bytes.len())
            }
            Stage::Lost => Ok(bytes.len()),
        }
    }

    fn line(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Result<usize, Next> {
        let end = memchr::memchr(b'\n', &bytes[..bytes.len().min(MAX_LINE)]);
        let Some(end) = end else {
            return if bytes.len() < MAX_LINE {
                Ok(0)
            } else {
                Err(Next::NotMine)
            };
        };
        let line = bytes[..end].strip_suffix(b"\r").unwrap_or(&bytes[..end]);
        let side = &mut self.sides[dir.index()];
        side.lines += 1;
        if !line.starts_with(wire::START) {
            // Only a server may say something first.
            let allowed = dir == Dir::Resp && side.lines < MAX_LINES;
            return if allowed { Ok(end + 1) } else { Err(Next::NotMine) };
        }
        side.stage = if wire::speaks_two(line) {
            Stage::Packets
        } else {
            Stage::Lost
        };
        context.confirm("ssh");
        if self.started.is_none() {
            self.started = Some(context.ts);
            let local = |end| context.limits.networks.contains(end);
            self.session.direction = match (local(context.head.id.orig_h), local(context.head.id.resp_h)) {
                (true, false) => Some("OUTBOUND"),
                (false, true) => Some("INBOUND"),
                _ => None,
            };
        }
        let slot = if dir == Dir::Orig {
            &mut self.session.client
        } else {
            &mut self.session.server
        };
        *slot = Some(text(line));
        if let (Some(client), Some(server)) = (&self.session.client, &self.session.server) {
            self.session.version = wire::common_version(client.as_bytes(), server.as_bytes());
            if self.session.version != Some(2) {
                // Version 1 is named, and not followed.
                return Err(Next::Bulk);
            }
        }
        Ok(end + 1)
    }

    fn packet(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Result<usize, Next> {
        let (payload, used) = match wire::packet(bytes) {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(0),
            Err(wire::NotAPacket) => {
                context.weird("ssh_malformed_packet", None, Some("SSH"));
                self.lose(dir)?;
                return Ok(bytes.len());
            }
        };
        match payload.split_first() {
            Some((&wire::KEXINIT, body)) if self.sides[dir.index()].offer.is_none() => {
                self.sides[dir.index()].offer = wire::offer(body);
                self.negotiate();
            }
            Some((&wire::NEWKEYS, _)) => self.sides[dir.index()].stage = Stage::Encrypted,
            Some((&kind, body)) if dir == Dir::Resp && self.session.host_key_fingerprint.is_none() => {
                let in_group_exchange = self
                    .session
                    .kex_alg
                    .as_ref()
                    .is_some_and(|name| name.starts_with("diffie-hellman-group-exchange"));
                let reply = if in_group_exchange {
                    wire::GROUP_EXCHANGE_REPLY
                } else {
                    wire::KEX_REPLY
                };
                if let Some(key) = wire::string(body).filter(|_| kind == reply) {
                    self.session.host_key_fingerprint = Some(wire::fingerprint(&Sha256::digest(key)));
                }
            }
            _ => {}
        }
        Ok(used)
    }

    fn negotiate(&mut self) {
        let [Some(client), Some(server)] = [&self.sides[0].offer, &self.sides[1].offer] else {
            return;
        };
        let session = &mut self.session;
        session.kex_alg = wire::choice(&client.kex, &server.kex);
        session.host_key_alg = wire::choice(&client.host_key, &server.host_key);
        session.cipher_alg = wire::both_ways(&client.cipher, &server.cipher);
        session.mac_alg = wire::both_ways(&client.mac, &server.mac);
        session.compression_alg = wire::both_ways(&client.compression, &server.compression);
        // Compressed answers have no lengths of their own.
        self.auth.set_off(session.compression_alg.as_deref() != Some("none"));
        // What was offered is not needed any more; what is offered again after the keys is encrypted.
        self.sides[0].offer = Some(wire::Offer::default());
        self.sides[1].offer = Some(wire::Offer::default());
    }

    fn encrypted(&mut self, dir: Dir, length: usize) {
        self.watched += length as u64;
        match dir {
            Dir::Orig => self.auth.asked(),
            Dir::Resp => self.auth.answered(length as u64),
        }
    }

    fn lose(&mut self, dir: Dir) -> Result<(), Next> {
        self.auth.set_off(true);
        self.sides[dir.index()] = Side {
            stage: Stage::Lost,
            ..Side::default()
        };
        if self.sides.iter().all(|side| side.stage == Stage::Lost) {
            return Err(Next::Bulk);
        }
        Ok(())
    }

    fn emit(&mut self, context: &mut Context<'_>) {
        if let Some(started) = self.started
            && !std::mem::replace(&mut self.emitted, true)
        {
            self.auth.end();
            let mut session = std::mem::take(&mut self.session);
            session.auth_attempts = self.auth.attempts();
            session.auth_success = self.auth.success();
            context.emit(started, session);
        }
    }
}

impl Parser for Ssh {
    fn name(&self) -> &'static str {
        "ssh"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        let mut unfinished = std::mem::take(&mut self.sides[dir.index()].partial);
        let result = unfinished.each(bytes, |bytes| self.step(context, dir, bytes));
        self.sides[dir.index()].partial = unfinished;
        match result {
            Err(next) => next,
            Ok(()) if self.auth.success() == Some(true) || self.watched > MAX_WATCHED => Next::Bulk,
            Ok(()) => Next::More,
        }
    }

    fn gap(&mut self, _: &mut Context<'_>, dir: Dir, _: u64) -> Next {
        self.lose(dir).err().unwrap_or(Next::More)
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        self.emit(context);
    }
}

#[cfg(test)]
mod tests;
