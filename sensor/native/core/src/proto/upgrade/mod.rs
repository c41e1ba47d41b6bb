//! Protocols that turn to TLS in the middle (RFC 2595, 6120; MS-RDPBCGR): named as the connection's service and
//! followed as far as that moment. What they say themselves is not decoded here.

use crate::proto::{Context, Dir, Next, Parser, Verdict};

/// Bytes of one line that are kept.
const MAX_LINE: usize = 1024;
/// Bytes of both directions after which no turn to TLS is expected any more.
const MAX_WATCHED: u64 = 64 * 1024;

/// A protocol of lines, and the words by which it turns to TLS.
struct Row {
    service: &'static str,
    /// How the responder's first line starts.
    greeting: &'static [u8],
    /// How the originator's first line may start, in upper case.
    first: &'static [&'static [u8]],
    /// What the originator asks with; after a tag where `tagged`.
    ask: &'static [&'static [u8]],
    /// How the responder's consent starts, after the tag.
    consent: &'static [u8],
    tagged: bool,
}

static ROWS: [Row; 2] = [
    Row {
        service: "pop3",
        greeting: b"+OK",
        first: &[b"USER ", b"CAPA", b"APOP ", b"STLS", b"AUTH"],
        ask: &[b"STLS"],
        consent: b"+OK",
        tagged: false,
    },
    Row {
        service: "imap",
        greeting: b"* OK",
        first: &[],
        ask: &[b"STARTTLS"],
        consent: b"OK",
        tagged: true,
    },
];

fn starts(line: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| {
        line.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    })
}

/// Whether a stream is one of the protocols of lines: the originator's first command, or the greeting.
pub(crate) fn probe_lines(bytes: &[u8], dir: Dir, usual: bool) -> Verdict {
    let Some(end) = memchr::memchr(b'\n', bytes) else {
        let hopeful = bytes.len() < MAX_LINE && bytes.iter().all(|byte| *byte != 0);
        return if hopeful { Verdict::More } else { Verdict::No };
    };
    let line = &bytes[..end];
    let found = match dir {
        Dir::Orig => ROWS.iter().any(|row| starts(line, row.first)) || usual && line.starts_with(b"a"),
        Dir::Resp => ROWS.iter().any(|row| line.starts_with(row.greeting)),
    };
    if found { Verdict::Yes } else { Verdict::No }
}

/// A protocol of lines on one connection.
#[derive(Default)]
pub(crate) struct Lines {
    row: Option<&'static Row>,
    partial: [Vec<u8>; 2],
    asked: bool,
    watched: u64,
}

impl Lines {
    fn line(&mut self, context: &mut Context<'_>, dir: Dir, line: &[u8]) -> bool {
        let line = line.trim_ascii();
        if self.row.is_none() {
            self.row = match dir {
                Dir::Orig => ROWS.iter().find(|row| starts(line, row.first)),
                Dir::Resp => ROWS.iter().find(|row| line.starts_with(row.greeting)),
            };
            if let Some(row) = self.row {
                context.confirm(row.service);
            }
        }
        let Some(row) = self.row else { return false };
        let words = if row.tagged {
            line.split(|byte| *byte == b' ').next().map_or(0, |tag| tag.len() + 1)
        } else {
            0
        };
        let rest = line.get(words..).unwrap_or(&[]);
        match dir {
            Dir::Orig => self.asked = starts(rest, row.ask),
            Dir::Resp if self.asked && starts(rest, &[row.consent]) => return true,
            Dir::Resp => {}
        }
        false
    }
}

impl Parser for Lines {
    fn name(&self) -> &'static str {
        self.row.map_or("lines", |row| row.service)
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let mut line = std::mem::take(&mut self.partial[dir.index()]);
            line.extend_from_slice(&rest[..end.min(MAX_LINE.saturating_sub(line.len()))]);
            rest = &rest[end + 1..];
            if self.line(context, dir, &line) {
                return Next::Switch(bytes.len() - rest.len());
            }
        }
        let partial = &mut self.partial[dir.index()];
        partial.extend_from_slice(&rest[..rest.len().min(MAX_LINE.saturating_sub(partial.len()))]);
        self.watched += bytes.len() as u64;
        if self.watched > MAX_WATCHED {
            Next::Bulk
        } else {
            Next::More
        }
    }

    fn gap(&mut self, _: &mut Context<'_>, dir: Dir, _: u64) -> Next {
        self.partial[dir.index()].clear();
        Next::More
    }

    fn finish(&mut self, _: &mut Context<'_>) {}
}

/// Whether a stream is XMPP (RFC 6120).
pub(crate) fn probe_xmpp(bytes: &[u8], _: Dir, _: bool) -> Verdict {
    let start = bytes.trim_ascii_start();
    let prefix = |word: &[u8]| start.starts_with(&word[..word.len().min(start.len())]);
    if !prefix(b"<?xml ") && !prefix(b"<stream:stream ") {
        return Verdict::No;
    }
    let head = &start[..start.len().min(512)];
    if memchr::memmem::find(head, b"http://etherx.jabber.org/streams").is_some() {
        Verdict::Yes
    } else if start.len() < 512 {
        Verdict::More
    } else {
        Verdict::No
    }
}

/// XMPP on one connection, up to `<proceed/>`.
#[derive(Default)]
pub(crate) struct Xmpp {
    /// The last bytes of the responder, in which the word may begin.
    tail: Vec<u8>,
    watched: u64,
}

impl Parser for Xmpp {
    fn name(&self) -> &'static str {
        "xmpp"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        const CONSENT: &[u8] = b"<proceed";
        context.confirm("xmpp");
        self.watched += bytes.len() as u64;
        if dir == Dir::Resp {
            let before = self.tail.len();
            let seen = [&self.tail[..], bytes].concat();
            let found = memchr::memmem::find(&seen, CONSENT);
            let end = found.and_then(|at| Some(at + memchr::memchr(b'>', &seen[at..])?));
            if let Some(end) = end {
                return Next::Switch((end + 1).saturating_sub(before).max(1));
            }
            let keep = found.map_or(CONSENT.len() - 1, |at| seen.len() - at);
            self.tail = seen[seen.len() - keep.min(seen.len()).min(MAX_LINE)..].to_vec();
        }
        if self.watched > MAX_WATCHED {
            Next::Bulk
        } else {
            Next::More
        }
    }

    fn gap(&mut self, _: &mut Context<'_>, _: Dir, _: u64) -> Next {
        self.tail.clear();
        Next::More
    }

    fn finish(&mut self, _: &mut Context<'_>) {}
}

/// Length of the TPKT (RFC 1006) at the start, if there is one with an X.224 message of this kind in it.
fn tpkt(bytes: &[u8], kind: u8) -> Option<usize> {
    match bytes {
        [3, 0, high, low, _, found, ..] if *found == kind => Some(usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// Whether a stream is RDP, by its X.224 connection request (MS-RDPBCGR, 2.2.1.1).
pub(crate) fn probe_rdp(bytes: &[u8], dir: Dir, usual: bool) -> Verdict {
    if dir == Dir::Resp || !bytes.starts_with(&[3, 0][..bytes.len().min(2)]) {
        return Verdict::No;
    }
    if bytes.len() < 6 {
        return Verdict::More;
    }
    let Some(length) = tpkt(bytes, 0xe0).filter(|length| (11..=512).contains(length)) else {
        return Verdict::No;
    };
    let Some(request) = bytes.get(11..length) else {
        return Verdict::More;
    };
    let cookie = memchr::memmem::find(request, b"Cookie: mstshash=").is_some();
    let negotiation =
        request.len() >= 8 && request[request.len() - 8..].starts_with(&[1, request[request.len() - 7], 8, 0]);
    if usual || cookie || negotiation {
        Verdict::Yes
    } else {
        Verdict::No
    }
}

/// RDP on one connection, up to the responder's choice of security.
#[derive(Default)]
pub(crate) struct Rdp {
    reply: Vec<u8>,
}

impl Parser for Rdp {
    fn name(&self) -> &'static str {
        "rdp"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        context.confirm("rdp");
        if dir == Dir::Orig {
            return Next::More;
        }
        let before = self.reply.len();
        self.reply.extend_from_slice(&bytes[..bytes.len().min(MAX_LINE)]);
        if self.reply.len() < 6 {
            return Next::More;
        }
        let Some(length) = tpkt(&self.reply, 0xd0).filter(|length| *length <= MAX_LINE) else {
            return Next::Bulk;
        };
        match self.reply.get(11..length) {
            None => Next::More,
            // A negotiation response that chooses anything but RDP's own security.
            Some([2, _, _, _, protocol, ..]) if *protocol != 0 => Next::Switch(length.saturating_sub(before).max(1)),
            Some(_) => Next::Bulk,
        }
    }

    fn gap(&mut self, _: &mut Context<'_>, _: Dir, _: u64) -> Next {
        Next::Bulk
    }

    fn finish(&mut self, _: &mut Context<'_>) {}
}

#[cfg(test)]
mod tests;
