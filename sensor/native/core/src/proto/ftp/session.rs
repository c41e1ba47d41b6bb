//! What is known of a control connection: who is logged in, in which folder, which commands wait for their reply.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::record::{Channel, Ftp as Exchange};
use super::transfer::{Beginning, Transfer};
use super::wire;
use crate::event::Time;
use crate::proto::announced::Place;
use crate::proto::lines::{command, reply};
use crate::proto::{Context, text};

/// Bytes of a user's name, of a folder's.
const MAX_NAME: usize = 128;
const MAX_FOLDER: usize = 1024;
/// Commands without a final reply, and bytes of what they say.
const MAX_PENDING: usize = 32;
const MAX_HELD: usize = 16 * 1024;
/// Bytes of a command's word (Zeek's limit).
const MAX_COMMAND: usize = 100;
/// Lines of one reply.
const MAX_REPLY_LINES: u32 = 1000;
/// What stands for a secret.
const HIDDEN: &str = "<hidden>";

/// Commands whose argument is a file or a folder: told as an address, as Zeek does.
const OF_FILES: [&str; 13] = [
    "APPE", "CWD", "DELE", "MKD", "MDTM", "REST", "RETR", "RMD", "RNFR", "RNTO", "SIZE", "STOR", "STOU",
];
/// Commands that move a file.
const TRANSFERS: [&str; 4] = ["APPE", "RETR", "STOR", "STOU"];

/// A command whose final reply has not come.
struct Pending {
    ts: Time,
    /// Empty where the line was no command, which is answered too.
    word: String,
    argument: Vec<u8>,
    reply: Option<(u16, String)>,
    size: Option<u64>,
    channel: Option<Channel>,
}

impl Pending {
    /// What the server says first, under Zeek's name for what it answers.
    fn greeting(ts: Time, code: u16, said: String) -> Self {
        Self {
            ts,
            word: "<init>".to_owned(),
            argument: Vec::new(),
            reply: Some((code, said)),
            size: None,
            channel: None,
        }
    }
}

#[derive(Default)]
pub(super) struct Session {
    pending: VecDeque<Pending>,
    greeted: bool,
    user: Option<String>,
    password: Option<String>,
    folder: Option<String>,
    /// The code that a reply of several lines began with, and how many came.
    continued: Option<(u16, u32)>,
    /// What came over the data connection that was announced last.
    transfer: Option<Beginning>,
}

impl Session {
    /// Takes a line of the client; false where it is no command.
    pub(super) fn asked(&mut self, context: &mut Context<'_>, line: &[u8]) -> bool {
        let (word, argument) = command(wire::without_telnet(line));
        if word.is_empty() {
            return true;
        }
        if word.len() > MAX_COMMAND {
            let addl = format!("{} > {MAX_COMMAND}", word.len());
            context.weird("FTP_max_command_length_exceeded", Some(addl), Some("FTP"));
        }
        let is_command = (3..=12).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let mut argument = argument.to_vec();
        let mut channel = None;
        match word.as_str() {
            "USER" => {
                self.user = Some(kept(&argument, MAX_NAME));
                self.password = None;
            }
            "PASS" => {
                // Who logs in as anonymous says who they are by it (RFC 1635).
                let told = self
                    .user
                    .as_ref()
                    .is_some_and(|user| user.eq_ignore_ascii_case("anonymous"));
                argument.truncate(MAX_NAME);
                if !told {
                    argument = HIDDEN.into();
                }
                self.password = Some(text(&argument));
            }
            "PORT" | "EPRT" => {
                let place = if word == "PORT" {
                    wire::six_numbers(&argument)
                } else {
                    wire::extended(&argument).and_then(|(address, port)| Some((address?, port)))
                };
                channel = place.map(|(resp_h, resp_p)| Channel {
                    passive: false,
                    orig_h: context.head.id.resp_h,
                    resp_h,
                    resp_p,
                });
            }
            _ if wire::is_secret(&word, &argument) => argument = HIDDEN.into(),
            _ => {}
        }
        self.push(
            context,
            Pending {
                ts: context.ts,
                word: if is_command { word } else { String::new() },
                argument: if is_command { argument } else { Vec::new() },
                reply: None,
                size: None,
                channel,
            },
        );
        is_command
    }

    fn push(&mut self, context: &mut Context<'_>, asked: Pending) {
        self.pending.push_back(asked);
        let mut held: usize = self.pending.iter().map(|pending| pending.argument.len()).sum();
        while self.pending.len() > MAX_PENDING || held > MAX_HELD {
            let Some(oldest) = self.pending.pop_front() else { break };
            context.weird("FTP_too_many_pending_commands", None, Some("FTP"));
            held -= oldest.argument.len();
            self.tell(context, oldest);
        }
    }

    /// Takes a line of the server; true where TLS begins behind it.
    pub(super) fn replied(&mut self, context: &mut Context<'_>, line: &[u8]) -> bool {
        let said = reply(line);
        // Within a reply of several lines only its own code and a blank end it.
        if let Some((code, lines)) = self.continued
            && lines < MAX_REPLY_LINES
            && !said.is_some_and(|(this, more, _)| this == code && !more)
        {
            self.continued = Some((code, lines + 1));
            return false;
        }
        self.continued = None;
        let Some((code, more, said)) = said else { return false };
        if more {
            self.continued = Some((code, 1));
            return false;
        }
        // The greeting answers nothing; it may be put off, or a refusal (RFC 959, 5.4).
        if !self.greeted && matches!(code, 120 | 220 | 421) {
            self.greeted = code != 120;
            if self.greeted {
                self.tell(context, Pending::greeting(context.ts, code, text(said)));
            }
            return false;
        }
        self.greeted = true;
        let Some(front) = self.pending.front_mut() else {
            return false;
        };
        front.reply = Some((code, text(said)));
        self.understand(context, code, said);
        if code < 200 {
            return false;
        }
        let Some(done) = self.pending.pop_front() else {
            return false;
        };
        let turns = code == 234 && done.word == "AUTH" && wire::is_tls(&done.argument);
        if let Some(channel) = done.channel.filter(|_| code < 300) {
            self.announce(context, channel);
        }
        self.tell(context, done);
        turns
    }

    /// What a reply says about files, folders and connections.
    fn understand(&mut self, context: &Context<'_>, code: u16, said: &[u8]) {
        let Some(front) = self.pending.front_mut() else { return };
        let passive = |(address, port): (Option<IpAddr>, u16)| Channel {
            passive: true,
            orig_h: context.head.id.orig_h,
            resp_h: address.unwrap_or(context.head.id.resp_h),
            resp_p: port,
        };
        match (code, front.word.as_str()) {
            (125 | 150, "RETR") => front.size = wire::announced_size(said),
            (213, "SIZE") => front.size = wire::number(said),
            (227, "PASV") => {
                front.channel = wire::six_numbers(said).map(|(address, port)| passive((Some(address), port)));
            }
            (229, "EPSV") => {
                front.channel = wire::in_parentheses(said).and_then(wire::extended).map(passive);
            }
            (257, "PWD" | "XPWD") => self.folder = wire::quoted(said).map(|path| kept(path, MAX_FOLDER)),
            (200..=299, "CWD" | "XCWD") => {
                let name = text(&front.argument);
                self.enter(&name);
            }
            (200..=299, "CDUP" | "XCUP") => self.enter(".."),
            (200..=299, "REIN") => (self.user, self.password, self.folder) = (None, None, None),
            _ => {}
        }
    }

    fn enter(&mut self, name: &str) {
        let folder = wire::joined(self.folder(), name);
        self.folder = Some(folder).filter(|folder| folder.len() <= MAX_FOLDER);
    }

    fn folder(&self) -> &str {
        self.folder.as_deref().unwrap_or(".")
    }

    /// Expects a transfer's connection. It is looked for between the two ends of this one: behind a translator of addresses
    /// they say an address that is not used, and an address elsewhere is a client's wish to reach others (RFC 2577).
    fn announce(&mut self, context: &Context<'_>, channel: Channel) {
        let id = &context.head.id;
        let (orig_h, resp_h) = if channel.passive {
            (id.orig_h, id.resp_h)
        } else {
            (id.resp_h, id.orig_h)
        };
        let place = Place {
            orig_h,
            resp_h,
            resp_p: channel.resp_p,
        };
        let beginning = Beginning::default();
        let transfer = Box::new(Transfer::new(beginning.clone()));
        context
            .limits
            .announced
            .borrow_mut()
            .announce(context.ts, place, transfer);
        self.transfer = Some(beginning);
    }

    /// Emits a command with what is known of it.
    fn tell(&mut self, context: &mut Context<'_>, done: Pending) {
        if done.word.is_empty() {
            return;
        }
        let argument = text(&done.argument);
        let arg = if OF_FILES.contains(&done.word.as_str()) {
            wire::address(context.head.id.resp_h, &wire::joined(self.folder(), &argument))
        } else {
            argument
        };
        let moves = TRANSFERS.contains(&done.word.as_str());
        let transfer = if moves { self.transfer.take() } else { None };
        let exchange = Exchange {
            user: self.user.clone(),
            password: self.password.clone(),
            command: done.word,
            arg: Some(arg).filter(|arg| !arg.is_empty()),
            mime_type: transfer.and_then(|transfer| transfer.mime_type()),
            file_size: done.size,
            reply: done.reply,
            channel: done.channel,
        };
        context.emit(done.ts, exchange);
    }

    /// Replies were missed: which commands they answered is unknown.
    pub(super) fn lost_replies(&mut self, context: &mut Context<'_>) {
        self.continued = None;
        self.finish(context);
    }

    /// Tells what was never answered.
    pub(super) fn finish(&mut self, context: &mut Context<'_>) {
        while let Some(pending) = self.pending.pop_front() {
            self.tell(context, pending);
        }
    }
}

fn kept(bytes: &[u8], most: usize) -> String {
    text(&bytes[..bytes.len().min(most)])
}
