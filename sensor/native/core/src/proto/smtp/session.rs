//! What is known of a connection: the mail under way, the mails and commands that wait for their reply.

use std::collections::VecDeque;

use super::MAX_LINE;
use super::headers::{self, Headers};
use super::record::Smtp as Mail;
use super::wire::{self, Chunk};
use crate::event::Time;
use crate::proto::lines::{Partial, command, reply};
use crate::proto::{Context, text};

/// Commands without a reply, and complete mails among them.
const MAX_PENDING: usize = 128;
const MAX_MAILS: usize = 4;

/// What a reply answers.
enum Asked {
    /// EHLO or HELO; who it was before, and what of a mail was said.
    Hello(Option<String>, [bool; 2]),
    Data,
    /// A mail's end: the dot, or its last chunk; the mail once it is there.
    End(Option<(Time, Box<Mail>)>),
    StartTls,
    Auth,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    #[default]
    Commands,
    /// DATA was asked for and not yet answered.
    Waiting,
    Mail,
    /// So many bytes of a chunk are left; whether it is the last.
    Chunk(u64, bool),
}

#[derive(Default)]
#[allow(clippy::struct_excessive_bools)] // facts of a connection that do not exclude each other
pub(super) struct Session {
    stage: Stage,
    pending: VecDeque<Asked>,
    greeted: bool,
    /// The server asked for a secret: the next line is one.
    challenged: bool,
    helo: Option<String>,
    /// Mails that were sent to their end.
    mails: u64,
    started: Option<Time>,
    mail: Mail,
    headers: Headers,
    /// A line of a mail that comes in chunks; chunks end anywhere.
    content: Partial,
    /// Whether a mail's sender and recipient were said.
    seen: [bool; 2],
}

impl Session {
    /// Whether lines of the client are a mail's body.
    pub(super) fn is_in_body(&self) -> bool {
        self.stage == Stage::Mail && self.headers.is_done()
    }

    /// Takes a line of the client; false where it should be a command and is none.
    pub(super) fn client(&mut self, context: &mut Context<'_>, line: &[u8]) -> bool {
        match self.stage {
            Stage::Mail => self.line_of_mail(context, line),
            // Where the server is not seen a mail begins with what no client sends ahead of the reply.
            Stage::Waiting if !may_be_ahead(line) => {
                self.stage = Stage::Mail;
                self.line_of_mail(context, line);
            }
            _ if std::mem::take(&mut self.challenged) => {}
            _ => return self.asked(context, line),
        }
        true
    }

    fn line_of_mail(&mut self, context: &mut Context<'_>, line: &[u8]) {
        if line == b"." {
            self.ask(context, Asked::End(None));
            self.end_of_mail(context);
            return;
        }
        // A dot at the start is doubled (RFC 5321, 4.5.2).
        self.header(context, line.strip_prefix(b".").unwrap_or(line));
    }

    fn header(&mut self, context: &mut Context<'_>, line: &[u8]) {
        if let Some(name) = self.headers.line(line, &mut self.mail) {
            context.weird(name, None, Some("SMTP"));
        }
    }

    /// The mail was sent to its end. It waits for the reply to that, unless this came already.
    fn end_of_mail(&mut self, context: &mut Context<'_>) {
        self.begin(context);
        self.close_headers(context);
        self.stage = Stage::Commands;
        self.mails += 1;
        self.seen = [false; 2];
        let mail = Box::new(std::mem::take(&mut self.mail));
        let mail = self.started.take().map(|started| (started, mail));
        let (mut waiting, mut oldest, mut place) = (0, None, None);
        for asked in &mut self.pending {
            match asked {
                Asked::End(slot @ None) => place = Some(slot),
                Asked::End(slot) => {
                    waiting += 1;
                    oldest = oldest.or(Some(slot));
                }
                _ => {}
            }
        }
        if let Some(oldest) = oldest.filter(|_| waiting >= MAX_MAILS) {
            context.weird("smtp_too_many_pending_mails", None, Some("SMTP"));
            tell(context, oldest.take(), None);
        }
        match place {
            Some(place) => *place = mail,
            None => tell(context, mail, None),
        }
    }

    fn close_headers(&mut self, context: &mut Context<'_>) {
        if let Some(name) = std::mem::take(&mut self.headers).close(&mut self.mail) {
            context.weird(name, None, Some("SMTP"));
        }
    }

    fn ask(&mut self, context: &mut Context<'_>, asked: Asked) {
        self.pending.push_back(asked);
        if self.pending.len() > MAX_PENDING {
            context.weird("smtp_too_many_pending_commands", None, Some("SMTP"));
            if let Some(Asked::End(mail)) = self.pending.pop_front() {
                tell(context, mail, None);
            }
        }
    }

    fn asked(&mut self, context: &mut Context<'_>, line: &[u8]) -> bool {
        let (word, argument) = command(line);
        let is_command =
            (3..=16).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let asked = match word.as_str() {
            "EHLO" | "HELO" => {
                let seen = std::mem::take(&mut self.seen);
                Asked::Hello(self.helo.replace(kept(argument)), seen)
            }
            "RSET" => {
                self.seen = [false; 2];
                Asked::Other
            }
            "MAIL" => {
                if let Some(path) = wire::path(argument, b"FROM:") {
                    // What was begun before is not sent any more.
                    self.flush(context);
                    self.begin(context);
                    self.mail.mailfrom = Some(kept(path)).filter(|from| !from.is_empty());
                    self.seen = [true, false];
                }
                Asked::Other
            }
            "RCPT" => {
                if let Some(path) = wire::path(argument, b"TO:") {
                    self.begin(context);
                    if headers::add(&kept(path), &mut self.mail.rcptto) {
                        context.weird("smtp_too_many_rcptto_addresses", None, Some("SMTP"));
                    }
                    self.seen[1] = true;
                    expect(context, self.seen[0], "rcpt to missing mail from");
                }
                Asked::Other
            }
            "DATA" => {
                expect(context, self.seen[1], "data missing rcpt to");
                self.stage = Stage::Waiting;
                Asked::Data
            }
            "BDAT" => return self.begin_chunk(context, argument),
            "STARTTLS" => Asked::StartTls,
            "AUTH" => Asked::Auth,
            _ => Asked::Other,
        };
        self.ask(context, asked);
        is_command
    }

    fn begin_chunk(&mut self, context: &mut Context<'_>, argument: &[u8]) -> bool {
        match wire::chunk(argument) {
            Chunk::Bytes(size, last) => {
                expect(context, self.seen[1], "data missing rcpt to");
                self.ask(context, if last { Asked::End(None) } else { Asked::Other });
                self.stage = Stage::Chunk(size, last);
                if size == 0 {
                    self.end_of_chunk(context, last);
                }
                return true;
            }
            Chunk::Huge(size) => context.weird("smtp_huge_bdat_chunk", Some(kept(size)), Some("SMTP")),
            Chunk::Invalid(why) => context.weird("smtp_invalid_bdat_command", Some(why.to_owned()), Some("SMTP")),
        }
        self.ask(context, Asked::Other);
        false
    }

    fn end_of_chunk(&mut self, context: &mut Context<'_>, last: bool) {
        self.stage = Stage::Commands;
        if last {
            // The last line need not have an end.
            let rest = self.content.take();
            if !rest.is_empty() {
                self.header(context, rest.strip_suffix(b"\r").unwrap_or(&rest));
            }
            self.end_of_mail(context);
        }
    }

    /// Bytes of a chunk, where one is under way; how many there were.
    pub(super) fn chunk(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Option<usize> {
        let Stage::Chunk(left, last) = self.stage else {
            return None;
        };
        let used = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let mut rest = &bytes[..used];
        while !self.headers.is_done() {
            let Some(line) = self.content.next(rest, MAX_LINE) else {
                break;
            };
            rest = &rest[line.used..];
            self.header(context, &line.bytes);
        }
        self.advance(context, left - used as u64, last);
        Some(used)
    }

    fn advance(&mut self, context: &mut Context<'_>, left: u64, last: bool) {
        if left == 0 {
            self.end_of_chunk(context, last);
        } else {
            self.stage = Stage::Chunk(left, last);
        }
    }

    /// The client's bytes were missed; true where all of them lay in a chunk.
    pub(super) fn missed(&mut self, context: &mut Context<'_>, n: u64) -> bool {
        let Stage::Chunk(left, last) = self.stage else {
            self.challenged = false;
            return false;
        };
        self.content.clear();
        self.advance(context, left.saturating_sub(n), last);
        n <= left
    }

    /// Notes that there is something to tell.
    fn begin(&mut self, context: &Context<'_>) {
        if self.started.is_none() {
            let id = context.head.id;
            self.started = Some(context.ts);
            self.mail.depth = self.mails + 1;
            self.mail.helo.clone_from(&self.helo);
            self.mail.path = vec![id.resp_h.to_string(), id.orig_h.to_string()];
        }
    }

    /// Tells what was begun, and begins anew.
    fn flush(&mut self, context: &mut Context<'_>) {
        let mail = Box::new(std::mem::take(&mut self.mail));
        tell(context, self.started.take().map(|started| (started, mail)), None);
    }

    /// Takes a line of the server; true where TLS begins behind it.
    pub(super) fn server(&mut self, context: &mut Context<'_>, line: &[u8]) -> bool {
        let Some((code, more, said)) = reply(line) else {
            return false;
        };
        if more {
            return false;
        }
        let said = format!("{code} {}", text(said)).trim_end().to_owned();
        // The greeting answers nothing, whatever a client sends ahead of it.
        let is_first = !std::mem::replace(&mut self.greeted, true);
        let is_greeting = is_first && code == 220 && !matches!(self.pending.front(), Some(Asked::StartTls));
        let answered = if is_greeting { None } else { self.pending.pop_front() };
        if let Some(Asked::End(mail @ Some(_))) = answered {
            tell(context, mail, Some(said));
            return false;
        }
        self.mail.last_reply = Some(said);
        match answered {
            Some(Asked::Hello(before @ Some(_), seen)) if code >= 400 => (self.helo, self.seen) = (before, seen),
            Some(Asked::Data) if code == 354 && self.stage == Stage::Waiting => self.stage = Stage::Mail,
            // What came ahead was no mail after all.
            Some(Asked::Data) if code != 354 && matches!(self.stage, Stage::Waiting | Stage::Mail) => {
                self.headers = Headers::default();
                self.stage = Stage::Commands;
            }
            Some(Asked::StartTls) if code == 220 => {
                self.begin(context);
                self.mail.tls = true;
                return true;
            }
            // A challenge: a secret answers it.
            Some(Asked::Auth) if code == 334 => {
                self.challenged = true;
                self.pending.push_front(Asked::Auth);
            }
            // DATA, or the reply to it, was missed.
            None if code == 354 => self.stage = Stage::Mail,
            None if code >= 400 && self.stage == Stage::Waiting => self.stage = Stage::Commands,
            // The dot was missed.
            None if self.stage == Stage::Mail && !is_greeting => self.end_of_mail(context),
            _ => {}
        }
        false
    }

    /// Replies were missed: which commands they answered is unknown.
    pub(super) fn lost_replies(&mut self, context: &mut Context<'_>) {
        self.challenged = false;
        self.greeted = true;
        for asked in std::mem::take(&mut self.pending) {
            if let Asked::End(mail) = asked {
                tell(context, mail, None);
            }
        }
    }

    /// Tells what was never answered, and what was begun.
    pub(super) fn finish(&mut self, context: &mut Context<'_>) {
        self.lost_replies(context);
        self.close_headers(context);
        self.flush(context);
    }
}

/// What a client may send behind DATA before it is answered (RFC 2920 forbids it, and some do).
fn may_be_ahead(line: &[u8]) -> bool {
    matches!(
        command(line).0.as_str(),
        "RSET" | "QUIT" | "NOOP" | "MAIL" | "RCPT" | "EHLO" | "HELO" | "DATA" | "BDAT"
    )
}

fn expect(context: &mut Context<'_>, seen: bool, addl: &str) {
    if !seen {
        context.weird("smtp_mail_transaction_invalid", Some(addl.to_owned()), Some("SMTP"));
    }
}

fn tell(context: &mut Context<'_>, mail: Option<(Time, Box<Mail>)>, said: Option<String>) {
    if let Some((started, mut mail)) = mail {
        if said.is_some() {
            mail.last_reply = said;
        }
        context.emit(started, *mail);
    }
}

/// Text of a word or an address, as much as is kept.
fn kept(bytes: &[u8]) -> String {
    text(&bytes[..bytes.len().min(headers::MAX_ADDRESS)])
}
