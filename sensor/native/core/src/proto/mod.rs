//! Application protocols, one folder each, found by their content on any port.
//!
//! A parser borrows its input, keeps what it needs of an unfinished unit within a fixed budget, and touches nothing but the
//! [`Context`] it is given. Adding a protocol is adding a folder and a row of [`TCP`] or [`UDP`].

mod announced;
#[cfg(test)]
#[path = "../../tests/support/asn1/mod.rs"]
mod asn1;
mod base64;
mod der;
pub(crate) mod detect;
pub(crate) mod dhcp;
pub(crate) mod dns;
pub(crate) mod ftp;
pub(crate) mod http;
pub(crate) mod kerberos;
mod labels;
pub(crate) mod ldap;
mod lines;
mod mime;
pub(crate) mod smtp;
pub(crate) mod snmp;
pub(crate) mod ssh;
pub(crate) mod ssl;
mod upgrade;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::event::{Body, ConnId, Event, EventSink, Kind, Record, Time, Uid};
use crate::flow::Networks;
use crate::flow::record::{Conn, Tunnel, Weird};
use crate::flow::weird::Limiter;
use announced::Announced;

/// The descriptions of all typed records: what rules may name, beside the columns common to all.
pub fn kinds() -> [&'static Kind; 14] {
    [
        Conn::schema(),
        dhcp::record::Dhcp::schema(),
        dns::record::Dns::schema(),
        ftp::record::Ftp::schema(),
        http::record::Http::schema(),
        kerberos::record::Kerberos::schema(),
        ldap::record::Ldap::schema(),
        ldap::record::Search::schema(),
        smtp::record::Smtp::schema(),
        snmp::record::Snmp::schema(),
        ssh::record::Ssh::schema(),
        ssl::record::Ssl::schema(),
        Tunnel::schema(),
        Weird::schema(),
    ]
}

/// Which end sent something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dir {
    Orig,
    Resp,
}

impl Dir {
    pub(crate) const fn of(side: usize) -> Self {
        if side == 0 { Self::Orig } else { Self::Resp }
    }

    /// 0 for the originator, 1 for the responder.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// A probe's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Yes,
    No,
    /// It may be, with more bytes.
    More,
}

/// What a parser wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// More bytes of either direction.
    More,
    /// It has seen what it wanted: the rest of the connection is only counted.
    Bulk,
    /// This is not its protocol after all.
    NotMine,
    /// Another protocol begins, so many bytes into what was just given.
    Switch(usize),
}

/// What stays the same over a connection's life, and the names of the services found in it.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) id: ConnId,
    pub(crate) uid: Uid,
    services: [Option<&'static str>; 4],
    turned: bool,
}

impl Head {
    pub(crate) fn new(id: ConnId, uid: Uid) -> Self {
        Self {
            id,
            uid,
            services: [None; 4],
            turned: false,
        }
    }

    /// Turns the roles over: the first sender was the responder.
    pub(crate) fn turn_over(&mut self) {
        std::mem::swap(&mut self.id.orig_h, &mut self.id.resp_h);
        std::mem::swap(&mut self.id.orig_p, &mut self.id.resp_p);
        self.turned = !self.turned;
    }

    /// Whether the roles were turned over since the last call.
    pub(crate) fn was_turned(&mut self) -> bool {
        std::mem::take(&mut self.turned)
    }

    /// Notes a service; the first four different ones are kept.
    pub(crate) fn serve(&mut self, name: &'static str) {
        if let Some(slot) = self
            .services
            .iter_mut()
            .find(|slot| slot.is_none_or(|known| known == name))
        {
            *slot = Some(name);
        }
    }

    /// Zeek's `service`: names joined by commas.
    pub(crate) fn service(&self) -> Option<String> {
        let mut names = self.services.iter().flatten();
        let mut joined = (*names.next()?).to_owned();
        for name in names {
            joined.push(',');
            joined.push_str(name);
        }
        Some(joined)
    }
}

/// What a parser may do: emit events, name its service, report what is weird.
pub(crate) struct Context<'a> {
    pub(crate) ts: Time,
    pub(crate) head: &'a mut Head,
    pub(crate) sink: &'a mut dyn EventSink,
    pub(crate) limiter: &'a mut Limiter,
    pub(crate) limits: &'a Limits,
}

/// What all connections share.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    /// Decompressors in use.
    pub(crate) decoders: Arc<AtomicUsize>,
    /// Which addresses are the site's own.
    pub(crate) networks: Networks,
    /// DHCP transactions: their messages come over several connections.
    pub(crate) leases: RefCell<dhcp::Leases>,
    /// Connections that others announced.
    pub(crate) announced: RefCell<Announced>,
}

impl Context<'_> {
    /// Emits a record of this connection.
    pub(crate) fn emit(&mut self, ts: Time, record: impl Record + 'static) {
        let (uid, conn) = (Some(self.head.uid), Some(self.head.id));
        self.sink.event(Event {
            ts,
            uid,
            conn,
            body: Body::Typed(Box::new(record)),
        });
    }

    /// Reports something that should not be, by Zeek's name.
    pub(crate) fn weird(&mut self, name: &'static str, addl: Option<String>, source: Option<&'static str>) {
        if self.limiter.allows(name, self.head.id.orig_h, self.ts) {
            self.emit(self.ts, Weird { name, addl, source });
        }
    }

    /// Names the service: the protocol is confirmed.
    pub(crate) fn confirm(&mut self, name: &'static str) {
        self.head.serve(name);
    }
}

/// A protocol's parser for one connection.
pub(crate) trait Parser: Send {
    /// The protocol's name, for messages.
    fn name(&self) -> &'static str;

    /// TCP: the next bytes of one direction, cut anywhere. UDP: one whole datagram.
    fn data(&mut self, context: &mut Context<'_>, dir: Dir, bytes: &[u8]) -> Next;

    /// Whether each datagram is a question or an answer, so that a short silence ends the connection.
    fn is_transactional(&self) -> bool {
        false
    }

    /// So many bytes of one direction were missed.
    fn gap(&mut self, context: &mut Context<'_>, dir: Dir, bytes: u64) -> Next;

    /// One direction was closed by its sender.
    fn end(&mut self, _context: &mut Context<'_>, _dir: Dir) {}

    /// The connection is over: emits what is still unfinished.
    fn finish(&mut self, context: &mut Context<'_>);
}

/// Bytes of a unit whose end has not come.
#[derive(Debug, Default)]
pub(crate) struct Unfinished(Vec<u8>);

impl Unfinished {
    /// Gives `read` what was left over and `bytes` in one piece; it says how many bytes it used, and the rest is kept. Many
    /// small pieces cost no more than one large one.
    pub(crate) fn feed<E>(&mut self, bytes: &[u8], read: impl FnOnce(&[u8]) -> Result<usize, E>) -> Result<(), E> {
        if self.0.is_empty() {
            let used = read(bytes)?;
            self.0.extend_from_slice(&bytes[used..]);
        } else {
            self.0.extend_from_slice(bytes);
            let used = read(&self.0)?;
            self.0.drain(..used);
        }
        Ok(())
    }

    /// The same for units one after another: `step` reads the first and says how long it is, 0 where it has not ended.
    pub(crate) fn each<E>(&mut self, bytes: &[u8], mut step: impl FnMut(&[u8]) -> Result<usize, E>) -> Result<(), E> {
        self.feed(bytes, |bytes| {
            let mut used = 0;
            while used < bytes.len() {
                match step(&bytes[used..])? {
                    0 => break,
                    n => used += n,
                }
            }
            Ok(used)
        })
    }
}

/// A row of the table of protocols.
pub(crate) struct Protocol {
    /// Whether bytes of a direction, from their start, are this protocol's. `usual` says that the port is.
    pub(crate) probe: fn(bytes: &[u8], dir: Dir, usual: bool) -> Verdict,
    /// Responder's ports where it is usual; they break ties and nothing else.
    pub(crate) ports: &'static [u16],
    pub(crate) start: Start,
}

/// What happens once a protocol is recognised.
#[derive(Clone, Copy)]
pub(crate) enum Start {
    /// Its parser follows the connection.
    Parser(fn(&ConnId) -> Box<dyn Parser>),
    /// It is named, and the connection only counted.
    Label(&'static str),
}

/// Protocols over TCP. Where several say yes on a foreign port, the first does.
pub(crate) static TCP: [Protocol; 11] = [
    Protocol {
        probe: http::probe,
        ports: &[80, 81, 631, 1080, 3128, 8000, 8080, 8888],
        start: Start::Parser(|_| Box::<http::Http>::default()),
    },
    Protocol {
        probe: ssl::probe,
        ports: &[443, 563, 585, 614, 636, 989, 990, 992, 993, 995, 5223],
        start: Start::Parser(|_| Box::<ssl::Ssl>::default()),
    },
    Protocol {
        probe: ssh::probe,
        ports: &[22],
        start: Start::Parser(|_| Box::<ssh::Ssh>::default()),
    },
    Protocol {
        probe: dns::probe_stream,
        ports: &[53],
        start: Start::Parser(|id| Box::new(dns::Dns::over_tcp(id))),
    },
    Protocol {
        probe: ftp::probe,
        ports: &[21, 2811],
        start: Start::Parser(|_| Box::<ftp::Ftp>::default()),
    },
    Protocol {
        probe: kerberos::probe_stream,
        ports: &[88],
        start: Start::Parser(|id| Box::new(kerberos::Kerberos::new(id))),
    },
    Protocol {
        probe: ldap::probe,
        ports: &[389, 3268],
        start: Start::Parser(|_| Box::<ldap::Ldap>::default()),
    },
    Protocol {
        probe: smtp::probe,
        ports: &[25, 587, 2525],
        start: Start::Parser(|_| Box::<smtp::Smtp>::default()),
    },
    Protocol {
        probe: upgrade::probe_lines,
        ports: &[110, 143],
        start: Start::Parser(|_| Box::<upgrade::Lines>::default()),
    },
    Protocol {
        probe: upgrade::probe_xmpp,
        ports: &[5222, 5269],
        start: Start::Parser(|_| Box::<upgrade::Xmpp>::default()),
    },
    Protocol {
        probe: upgrade::probe_rdp,
        ports: &[3389],
        start: Start::Parser(|_| Box::<upgrade::Rdp>::default()),
    },
];

/// Protocols over UDP; a probe sees one datagram.
pub(crate) static UDP: [Protocol; 6] = [
    Protocol {
        probe: dns::probe_datagram,
        ports: &[53, 137, 5353, 5355],
        start: Start::Parser(|id| Box::new(dns::Dns::over_udp(id))),
    },
    Protocol {
        probe: dhcp::probe,
        ports: &[67],
        start: Start::Parser(|_| Box::<dhcp::Dhcp>::default()),
    },
    Protocol {
        probe: kerberos::probe_datagram,
        ports: &[88],
        start: Start::Parser(|id| Box::new(kerberos::Kerberos::new(id))),
    },
    Protocol {
        probe: ldap::probe,
        ports: &[389],
        start: Start::Parser(|_| Box::new(ldap::Ldap::over_udp())),
    },
    Protocol {
        probe: snmp::probe,
        ports: &[161, 162],
        start: Start::Parser(|_| Box::<snmp::Snmp>::default()),
    },
    Protocol {
        probe: labels::ntp,
        ports: &[123],
        start: Start::Label("ntp"),
    },
];

/// Bytes to text: valid UTF-8 as it is, the rest replaced (U+FFFD).
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Cuts a text to at most so many bytes, between characters.
pub(crate) fn shorten(text: &mut String, most: usize) {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}
