//! FTP's control connection (RFC 959, 2428) and its turn to TLS (RFC 4217): one event per command, when it is answered. The
//! connections of its transfers are announced. Passwords are not kept, but for anonymous log-ins.

pub(super) mod record;
mod session;
mod transfer;
mod wire;

use super::lines::{Partial, command, reply};
use crate::proto::{Context, Dir, Next, Parser, Verdict};
use session::Session;

/// Bytes of one line that are kept.
const MAX_LINE: usize = 4096;
/// Bytes of a first line without an end in which this is still hoped for.
const MAX_FIRST: usize = 1024;
/// Lines that are no command after which this is not FTP.
const MAX_VIOLATIONS: u32 = 16;

/// Words that a client may begin with.
const FIRST: [&str; 7] = ["USER", "AUTH", "FEAT", "SYST", "HOST", "CLNT", "OPTS"];

/// Whether a stream is FTP: the client's first command, or a greeting that says so. A bare `220` on a foreign port leaves it
/// to the client. On its own port a connection may be seen from its middle.
pub(crate) fn probe(bytes: &[u8], dir: Dir, usual: bool) -> Verdict {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        let hopeful = bytes.len() < MAX_FIRST && !bytes.contains(&0);
        return if hopeful { Verdict::More } else { Verdict::No };
    };
    let line = &bytes[..end];
    let says = |word: &[u8]| memchr::memmem::find(line, word).is_some();
    let found = match dir {
        Dir::Orig => {
            let (word, argument) = command(line);
            match word.as_str() {
                // Other protocols log in with the same words, and more behind them.
                "USER" => usual || !argument.is_empty() && !argument.contains(&b' '),
                "AUTH" => wire::is_tls(argument) || argument.eq_ignore_ascii_case(b"GSSAPI"),
                "FEAT" | "SYST" => true,
                word => usual && (FIRST.contains(&word) || wire::COMMANDS.contains(&word)),
            }
        }
        Dir::Resp => match reply(line.trim_ascii_end()) {
            Some((220, ..)) => says(b"FTP") || usual && !says(b"SMTP"),
            Some(_) => usual,
            None => false,
        },
    };
    if found { Verdict::Yes } else { Verdict::No }
}

/// FTP on one connection.
#[derive(Default)]
pub(crate) struct Ftp {
    partial: [Partial; 2],
    violations: u32,
    session: Session,
}

impl Ftp {
    fn asked(&mut self, context: &mut Context<'_>, line: &[u8]) -> Next {
        if !self.session.asked(context, line) {
            self.violations += 1;
        }
        if self.violations > MAX_VIOLATIONS {
            Next::NotMine
        } else {
            Next::More
        }
    }
}

impl Parser for Ftp {
    fn name(&self) -> &'static str {
        "ftp"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        context.confirm("ftp");
        let mut rest = bytes;
        while let Some(line) = self.partial[dir.index()].next(rest, MAX_LINE) {
            rest = &rest[line.used..];
            let (next, too_long) = match dir {
                Dir::Orig => (self.asked(context, &line.bytes), "FTP_arg_too_long"),
                Dir::Resp if self.session.replied(context, &line.bytes) => {
                    return Next::Switch(bytes.len() - rest.len());
                }
                Dir::Resp => (Next::More, "FTP_reply_msg_too_long"),
            };
            if line.cut {
                context.weird(too_long, None, Some("FTP"));
            }
            if next != Next::More {
                return next;
            }
        }
        Next::More
    }

    fn gap(&mut self, context: &mut Context<'_>, dir: Dir, _: u64) -> Next {
        match dir {
            Dir::Orig => self.partial[0].lose(),
            Dir::Resp => {
                self.partial[1].clear();
                self.session.lost_replies(context);
            }
        }
        Next::More
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        self.session.finish(context);
    }
}

#[cfg(test)]
mod tests;
