//! HTTP/0.9 to 1.1 in the clear: requests and responses matched in order, one event each, as Zeek has it.

mod body;
mod half;
pub(super) mod record;
mod wire;

use std::collections::VecDeque;

use crate::event::Time;
use crate::proto::{Context, Dir, Next, Parser, Verdict, base64, text};
use body::Encoding;
use half::{Expect, Half, Item};
use record::Http as Transaction;

/// Requests of one connection that wait for their response; above it the oldest is emitted as it is.
const MAX_OUTSTANDING: usize = 128;
/// First lines that are none before a direction is given up.
const MAX_VIOLATIONS: u32 = 16;
/// Names and values kept of one message's lists.
const MAX_LIST: usize = 200;

/// Methods that are believed without a version after them.
const METHODS: [&[u8]; 20] = [
    b"GET",
    b"POST",
    b"HEAD",
    b"OPTIONS",
    b"PUT",
    b"DELETE",
    b"TRACE",
    b"CONNECT",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"POLL",
    b"REPORT",
    b"SUBSCRIBE",
    b"BMOVE",
    b"SEARCH",
];

/// Headers that tell of a proxy, as Zeek has them.
const PROXY_HEADERS: [&str; 7] = [
    "FORWARDED",
    "X-FORWARDED-FOR",
    "X-FORWARDED-FROM",
    "CLIENT-IP",
    "VIA",
    "XROXY-CONNECTION",
    "PROXY-CONNECTION",
];

/// Whether a stream is HTTP.
pub(crate) fn probe(bytes: &[u8], dir: Dir, usual: bool) -> Verdict {
    if dir == Dir::Resp {
        return match bytes {
            [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', ..] => Verdict::Yes,
            _ if bytes.len() < 6 && b"HTTP/".starts_with(&bytes[..bytes.len().min(5)]) => Verdict::More,
            _ => Verdict::No,
        };
    }
    let start = bytes
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))
        .unwrap_or(bytes.len());
    let bytes = &bytes[start..];
    let end = memchr::memchr(b'\n', bytes);
    let line = &bytes[..end.unwrap_or(bytes.len())];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let method = line.iter().take_while(|byte| byte.is_ascii_graphic()).count();
    if method == 0 && !line.is_empty() {
        return Verdict::No;
    }
    if method > 32
        || line
            .iter()
            .take(method)
            .any(|byte| !(byte.is_ascii_alphabetic() || b"-_".contains(byte)))
    {
        return Verdict::No;
    }
    match (wire::request_line(line), end) {
        (Some(request), _) if request.version.is_some_and(|version| version.len() >= 3) => Verdict::Yes,
        (Some(request), Some(_)) if usual || METHODS.contains(&request.method) && request.target.starts_with(b"/") => {
            Verdict::Yes
        }
        (_, None) => Verdict::More,
        _ => Verdict::No,
    }
}

/// HTTP of one connection.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // facts of a connection that do not exclude each other
pub(crate) struct Http {
    halves: [Half; 2],
    waiting: VecDeque<Pending>,
    /// Transactions begun.
    depth: u64,
    violations: [u32; 2],
    /// Whether a request named a version.
    versioned: bool,
    /// Whether the newest transaction's request is still arriving.
    requesting: bool,
    /// Whether the oldest transaction's response is arriving.
    responding: bool,
    switch: bool,
}

struct Pending {
    started: Time,
    transaction: Transaction,
    is_head: bool,
    is_connect: bool,
    is_simple: bool,
}

impl Http {
    fn begin(&mut self, context: &mut Context<'_>) -> &mut Pending {
        if self.waiting.len() >= MAX_OUTSTANDING {
            context.weird("HTTP_excessive_pipelining", None, Some("HTTP"));
            self.emit_oldest(context);
            self.responding = false;
        }
        self.depth += 1;
        self.waiting.push_back(Pending {
            started: context.ts,
            transaction: Transaction {
                depth: self.depth,
                ..Transaction::default()
            },
            is_head: false,
            is_connect: false,
            is_simple: false,
        });
        let newest = self.waiting.len() - 1;
        &mut self.waiting[newest]
    }

    fn emit_oldest(&mut self, context: &mut Context<'_>) {
        if let Some(pending) = self.waiting.pop_front() {
            context.emit(pending.started, pending.transaction);
        }
        if self.waiting.is_empty() {
            self.requesting = false;
        }
    }

    fn item(&mut self, context: &mut Context<'_>, dir: Dir, half: &mut Half, item: &Item<'_>) {
        match (dir, item) {
            (Dir::Orig, Item::Start(line)) => self.request(context, half, line),
            (Dir::Resp, Item::Start(line)) => self.response(context, half, line),
            (Dir::Orig, Item::Header(name, value)) => self.request_header(half, name, value),
            (Dir::Resp, Item::Header(name, value)) => self.response_header(half, name, value),
            (Dir::Orig, Item::HeadersEnd) => {
                let expect = match (half.chunked, half.content_length) {
                    (true, _) => Expect::Chunked,
                    (false, Some(n)) => Expect::Counted(n),
                    (false, None) => Expect::Nothing,
                };
                if half.expect(expect) {
                    self.requesting = false;
                }
            }
            (Dir::Resp, Item::HeadersEnd) => self.response_headers_end(context, half),
            (Dir::Orig, Item::Done(length, mime)) => self.request_done(*length, *mime),
            (Dir::Resp, Item::Done(length, mime)) => self.response_done(context, *length, *mime),
        }
    }

    fn request(&mut self, context: &mut Context<'_>, half: &mut Half, line: &[u8]) {
        let parsed = wire::request_line(line)
            .filter(|request| {
                request
                    .method
                    .iter()
                    .all(|byte| byte.is_ascii_alphabetic() || b"-_".contains(byte))
            })
            // Without a version only a known method makes it a request, and only where none had one before.
            .filter(|request| request.version.is_some() || !self.versioned && request.method.len() >= 3);
        let Some(request) = parsed else {
            self.violations[0] += 1;
            let versioned = memchr::memmem::find(line, b" HTTP/1.").is_some();
            let name = if versioned {
                "bad_HTTP_request_with_version"
            } else {
                "bad_HTTP_request"
            };
            context.weird(name, None, Some("HTTP"));
            if self.violations[0] > MAX_VIOLATIONS {
                half.turn_off();
            }
            return;
        };
        context.confirm("http");
        self.versioned |= request.version.is_some();
        if request.version.is_none() && request.method != b"GET" {
            context.weird(
                "invalid_http_09_request_method",
                Some(text(request.method)),
                Some("HTTP"),
            );
        }
        if !METHODS.contains(&request.method) {
            context.weird("unknown_HTTP_method", Some(text(request.method)), None);
        }
        if request.target.is_empty() {
            context.weird("missing_HTTP_uri", None, Some("HTTP"));
        }
        match request.target {
            [.., b'%'] => context.weird("illegal_%_at_end_of_URI", None, Some("HTTP")),
            [.., b'%', _] => context.weird("partial_escape_at_end_of_URI", None, Some("HTTP")),
            _ => {}
        }
        let pending = self.begin(context);
        pending.is_head = request.method == b"HEAD";
        pending.is_connect = request.method == b"CONNECT";
        pending.is_simple = request.version.is_none();
        pending.transaction.method = Some(text(request.method));
        pending.transaction.uri = Some(text(&wire::unescape(request.target)));
        pending.transaction.version = Some(request.version.map_or_else(|| "0.9".to_owned(), text));
        self.requesting = true;
        half.begin_headers();
    }

    fn response(&mut self, context: &mut Context<'_>, half: &mut Half, line: &[u8]) {
        // A simple request is answered by a body alone (HTTP/0.9), whatever that starts with.
        let simple = self.waiting.front().is_some_and(|pending| pending.is_simple);
        let (status, version) = if simple {
            ((0, "<empty>".to_owned()), "0.9".to_owned())
        } else if let Some(status) = wire::status_line(line) {
            ((status.code, text(status.reason)), text(status.version))
        } else {
            self.violations[1] += 1;
            if self.violations[1] > MAX_VIOLATIONS {
                half.turn_off();
            }
            return;
        };
        context.confirm("http");
        if self.waiting.is_empty() {
            self.begin(context);
        }
        self.responding = true;
        let Some(pending) = self.waiting.front_mut() else {
            return;
        };
        if (100..200).contains(&status.0) {
            pending.transaction.info = Some(status.clone());
        }
        pending.transaction.status = Some(status);
        pending.transaction.version = Some(version);
        if simple {
            half.begin_raw();
        } else {
            half.begin_headers();
        }
    }

    fn request_header(&mut self, half: &mut Half, name: &[u8], value: &[u8]) {
        framing(half, name, value);
        let Some(pending) = self.waiting.back_mut().filter(|_| self.requesting) else {
            return;
        };
        let transaction = &mut pending.transaction;
        let upper = text(name).to_ascii_uppercase();
        match upper.as_str() {
            "HOST" => transaction.host = Some(text(value)),
            "REFERER" => transaction.referrer = Some(text(value)),
            "USER-AGENT" => transaction.user_agent = Some(text(value)),
            "ORIGIN" => transaction.origin = Some(text(value)),
            "COOKIE" => transaction.cookie = Some(text(value)),
            "AUTHORIZATION" | "PROXY-AUTHORIZATION" => authorization(transaction, value),
            "CONTENT-DISPOSITION" => {
                transaction.filenames[0].extend(wire::filename(value).map(text));
            }
            name if PROXY_HEADERS.contains(&name) && transaction.proxied.len() < MAX_LIST => {
                transaction.proxied.push(format!("{name} -> {}", text(value)));
            }
            _ => {}
        }
        if transaction.client_headers.len() < MAX_LIST {
            transaction.client_headers.push(upper);
        }
    }

    fn response_header(&mut self, half: &mut Half, name: &[u8], value: &[u8]) {
        framing(half, name, value);
        if name.eq_ignore_ascii_case(b"content-disposition")
            && let Some(pending) = self.waiting.front_mut()
        {
            pending.transaction.filenames[1].extend(wire::filename(value).map(text));
        }
    }

    fn response_headers_end(&mut self, context: &mut Context<'_>, half: &mut Half) {
        let Some(pending) = self.waiting.front() else { return };
        let code = pending.transaction.status.as_ref().map_or(0, |(code, _)| *code);
        if pending.is_connect && (200..300).contains(&code) {
            self.switch = true;
        }
        let expect = if pending.is_head || self.switch || matches!(code, 100..200 | 204 | 304) {
            Expect::Nothing
        } else if half.chunked {
            Expect::Chunked
        } else if let Some(n) = half.content_length {
            Expect::Counted(n)
        } else {
            Expect::UntilClose
        };
        if half.expect(expect) {
            self.response_done(context, 0, None);
        }
    }

    fn request_done(&mut self, length: u64, mime: Option<&'static str>) {
        self.requesting = false;
        if let Some(pending) = self.waiting.back_mut() {
            pending.transaction.request_len = length;
            pending.transaction.mime_types[0].extend(mime.map(str::to_owned));
        }
    }

    fn response_done(&mut self, context: &mut Context<'_>, length: u64, mime: Option<&'static str>) {
        self.responding = false;
        let Some(pending) = self.waiting.front_mut() else {
            return;
        };
        let transaction = &mut pending.transaction;
        // After an interim response the real one is still to come.
        if transaction
            .status
            .as_ref()
            .is_some_and(|(code, _)| (100..200).contains(code) && *code != 101)
        {
            return;
        }
        transaction.response_len = length;
        transaction.mime_types[1].extend(mime.map(str::to_owned));
        self.emit_oldest(context);
    }

    /// The sender of a direction is done: a body without a length ends here.
    fn close(&mut self, context: &mut Context<'_>, dir: Dir) {
        let half = &mut self.halves[dir.index()];
        if half.is_between() || half.is_off() {
            return;
        }
        let (length, mime) = half.finish();
        match dir {
            Dir::Orig if self.requesting => self.request_done(length, mime),
            Dir::Resp if self.responding => self.response_done(context, length, mime),
            _ => {}
        }
    }
}

/// Headers that say how a body is sent.
fn framing(half: &mut Half, name: &[u8], value: &[u8]) {
    if name.eq_ignore_ascii_case(b"content-length") {
        let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = std::str::from_utf8(&value[..digits])
            .ok()
            .and_then(|digits| digits.parse().ok());
        half.content_length = half.content_length.or(length);
    } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
        half.chunked |= memchr::memmem::find(&value.to_ascii_lowercase(), b"chunked").is_some();
    } else if name.eq_ignore_ascii_case(b"content-encoding") {
        half.encoding = match value.to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Some(Encoding::Gzip),
            b"deflate" => Some(Encoding::Deflate),
            _ => None,
        };
    }
}

/// The user of HTTP Basic (RFC 7617); the password is never kept.
fn authorization(transaction: &mut Transaction, value: &[u8]) {
    let Some((scheme, rest)) = value.split_at_checked(6) else {
        return;
    };
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return;
    }
    let decoded = base64::decode(wire::trim(rest));
    match memchr::memchr(b':', &decoded) {
        Some(colon) => {
            transaction.username = Some(text(&decoded[..colon]));
            transaction.has_password = true;
        }
        None => transaction.username = Some("<problem-decoding>".to_owned()),
    }
}

impl Parser for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next {
        let mut half = std::mem::take(&mut self.halves[dir.index()]);
        let decoders = context.limits.decoders.clone();
        let mut rest = bytes;
        let mut joined = Vec::new();
        while !rest.is_empty() && !self.switch {
            if let Some((used, over)) = half.body(rest, &decoders) {
                rest = &rest[used..];
                if over {
                    let (length, mime) = half.finish();
                    self.item(context, dir, &mut half, &Item::Done(length, mime));
                }
                continue;
            }
            // A simple request's answer has no lines: it begins with its first byte.
            if dir == Dir::Resp && half.is_between() && self.waiting.front().is_some_and(|waits| waits.is_simple) {
                self.item(context, dir, &mut half, &Item::Start(b""));
                continue;
            }
            let Some((line, used)) = half.line(rest, &mut joined) else {
                break;
            };
            rest = &rest[used..];
            half.on_line(line, &mut |half, item| self.item(context, dir, half, &item));
        }
        self.halves[dir.index()] = half;
        if self.switch {
            return Next::Switch(bytes.len() - rest.len());
        }
        if self.halves.iter().all(Half::is_off) {
            Next::Bulk
        } else {
            Next::More
        }
    }

    fn gap(&mut self, context: &mut Context<'_>, dir: Dir, bytes: u64) -> Next {
        let half = &mut self.halves[dir.index()];
        let was_between = half.is_between();
        if half.missed(bytes) {
            // A gap may be exactly the end of a body.
            if !was_between && half.is_between() {
                let (length, mime) = half.finish();
                match dir {
                    Dir::Orig => self.request_done(length, mime),
                    Dir::Resp => self.response_done(context, length, mime),
                }
            }
        } else if dir == Dir::Orig {
            self.requesting = false;
        } else if self.responding {
            self.response_done(context, 0, None);
        }
        Next::More
    }

    fn end(&mut self, context: &mut Context<'_>, dir: Dir) {
        self.close(context, dir);
    }

    fn finish(&mut self, context: &mut Context<'_>) {
        self.close(context, Dir::Orig);
        self.close(context, Dir::Resp);
        while !self.waiting.is_empty() {
            self.emit_oldest(context);
        }
    }
}

#[cfg(test)]
mod tests;
