//! SMTP (RFC 5321), BDAT (RFC 3030) and its turn to TLS (RFC 3207): one event per mail, when the server has answered it. A
//! mail's headers are read, its body is not; what AUTH says is not kept.

mod headers;
pub(super) mod record;
mod session;
mod wire;
mod words;

use super::lines::{Partial, command, reply};
use crate::proto::{Context, Dir, Next, Parser, Verdict};
use session::Session;

/// Bytes of one line that are kept (RFC 5321, 4.5.3.1 asks for 1,000).
const MAX_LINE: usize = 4096;
/// Bytes of a first line without an end in which this is still hoped for.
const MAX_FIRST: usize = 1024;
/// Lines that are no command after which this is not SMTP.
const MAX_VIOLATIONS: u32 = 16;

/// Whether a stream is SMTP: the client's first command, or a greeting that says so. A bare `220` on a foreign port leaves it
/// to the client. On its own port a connection may be seen from its middle.
pub(crate) fn probe(bytes: &[u8], dir: Dir, usual: bool) -> Verdict {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        let hopeful = bytes.len() < MAX_FIRST && !bytes.contains(&0);
        return if hopeful { Verdict::More } else { Verdict::No };
    };
    let line = &bytes[..end];
    let says = |word: &[u8]| memchr::memmem::find(line, word).is_some();
    let found = match dir {
        Dir::Orig => match command(line) {
            (word, argument) if matches!(word.as_str(), "EHLO" | "HELO") => usual || !argument.is_empty(),
            (word, argument) => {
                usual
                    && match word.as_str() {
                        "MAIL" => wire::path(argument, b"FROM:").is_some(),
                        "RCPT" => wire::path(argument, b"TO:").is_some(),
                        word => matches!(word, "STARTTLS" | "DATA" | "BDAT" | "RSET" | "NOOP" | "QUIT" | "VRFY"),
                    }
            }
        },
        Dir::Resp => match reply(line.trim_ascii_end()) {
            Some((220, ..)) => says(b"SMTP") || usual && !says(b"FTP"),
            Some(_) => usual,
            None => false,
        },
    };
    if found { Verdict::Yes } else { Verdict::No }
}

/// SMTP on one connection.
#[derive(Default)]
pub(crate) struct Smtp {
    partial: [Partial; 2],
    violations: u32,
    session: Session,
}

impl Smtp {
    fn asked(&mut self, context: &mut Context<'_>, line: &[u8]) -> Next {
        if !self.session.client(context, line) {
            self.violations += 1;
        }
        if self.violations > MAX_VIOLATIONS {
            Next::NotMine
        } else {
            Next::More
        }
    }
}

impl Parser for Smtp {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        context.confirm("smtp");
        let mut rest = bytes;
        while !rest.is_empty() {
            if dir == Dir::Orig
                && let Some(used) = self.session.chunk(context, rest)
            {
                rest = &rest[used..];
                continue;
            }
            let Some(line) = self.partial[dir.index()].next(rest, MAX_LINE) else {
                break;
            };
            rest = &rest[line.used..];
            // Bodies may have lines of any length.
            if line.cut && !(dir == Dir::Orig && self.session.is_in_body()) {
                context.weird("line_too_long", None, Some("SMTP"));
            }
            match dir {
                Dir::Orig => match self.asked(context, &line.bytes) {
                    Next::More => {}
                    other => return other,
                },
                Dir::Resp if self.session.server(context, &line.bytes) => {
                    return Next::Switch(bytes.len() - rest.len());
                }
                Dir::Resp => {}
            }
        }
        Next::More
    }

    fn gap(&mut self, context: &mut Context<'_>, dir: Dir, n: u64) -> Next {
        match dir {
            Dir::Orig if self.session.missed(context, n) => {}
            Dir::Orig => self.partial[0].clear(),
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
