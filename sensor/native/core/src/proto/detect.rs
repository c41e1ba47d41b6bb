//! Finds a connection's protocol by its first bytes, and guards every call into a parser.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Context, Dir, Next, Parser, Protocol, Start, Verdict};
use crate::stats::{Report, Tally};
use crate::stream::Chunk;

/// Bytes of one direction kept while nothing is recognised.
const MAX_PROBED: usize = 2048;

/// Counters of detection.
#[derive(Debug, Default)]
pub(crate) struct Detection {
    recognised: u64,
    given_up: u64,
    refused: u64,
    panics: u64,
}

impl Report for Detection {
    fn report(&self, tally: &mut Tally) {
        tally.add("proto.recognised", self.recognised);
        tally.add("proto.unrecognised", self.given_up);
        tally.add("proto.dropped{not_mine}", self.refused);
        tally.add("proto.dropped{analyzer_panic}", self.panics);
    }
}

/// What is known of a connection's protocol.
pub(crate) enum App {
    /// Not yet: what came so far, and which rows of the table each direction rules out.
    Unknown(Probing),
    /// Recognised.
    Known(Box<dyn Parser>),
    /// Given up, or done: bytes are only counted.
    Off,
}

impl Default for App {
    fn default() -> Self {
        Self::Unknown(Probing::default())
    }
}

/// Bytes and verdicts before a protocol is recognised.
#[derive(Default)]
pub(crate) struct Probing {
    held: [Vec<u8>; 2],
    ruled_out: [u32; 2],
    /// A direction that has a gap before its first bytes, or too many of them, is not probed.
    blind: [bool; 2],
    first: Option<Dir>,
}

impl App {
    /// Whether its datagrams are questions and answers.
    pub(crate) fn is_transactional(&self) -> bool {
        matches!(self, Self::Known(parser) if parser.is_transactional())
    }

    pub(crate) fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }

    /// Takes bytes of a TCP connection.
    pub(crate) fn stream(
        &mut self,
        table: &[Protocol],
        counts: &mut Detection,
        context: &mut Context<'_>,
        dir: Dir,
        chunk: Chunk<'_>,
    ) {
        match self {
            Self::Off => {}
            Self::Known(_) => self.feed(table, counts, context, dir, chunk),
            Self::Unknown(probing) => {
                let Chunk::Bytes(bytes) = chunk else {
                    probing.blind[dir.index()] = true;
                    return self.give_up_if_hopeless(table, counts);
                };
                if probing.blind[dir.index()] {
                    return;
                }
                let first = *probing.first.get_or_insert(dir);
                let held = &mut probing.held[dir.index()];
                let (seen, rest): (&[u8], &[u8]) = if held.is_empty() {
                    (bytes, &[])
                } else {
                    let room = bytes.len().min(MAX_PROBED.saturating_sub(held.len()));
                    held.extend_from_slice(&bytes[..room]);
                    (held, &bytes[room..])
                };
                let found = choose(
                    table,
                    counts,
                    context.head.id.resp_p,
                    dir,
                    seen,
                    &mut probing.ruled_out[dir.index()],
                );
                let Some(protocol) = found else {
                    let held = &mut probing.held[dir.index()];
                    if held.is_empty() {
                        held.extend_from_slice(&bytes[..bytes.len().min(MAX_PROBED)]);
                    }
                    if held.len() >= MAX_PROBED {
                        probing.blind[dir.index()] = true;
                    }
                    return self.give_up_if_hopeless(table, counts);
                };
                counts.recognised += 1;
                let (mut held, blind) = (std::mem::take(&mut probing.held), probing.blind);
                if !self.begin(protocol, context) {
                    return;
                }
                for from in [first, if first == Dir::Orig { Dir::Resp } else { Dir::Orig }] {
                    let held = std::mem::take(&mut held[from.index()]);
                    // Not copied where recognised at once.
                    let whole = if from == dir && held.is_empty() { bytes } else { &held };
                    if !whole.is_empty() {
                        self.feed(table, counts, context, from, Chunk::Bytes(whole));
                    }
                    if blind[from.index()] {
                        self.feed(table, counts, context, from, Chunk::Gap(0));
                    }
                }
                if !rest.is_empty() {
                    self.feed(table, counts, context, dir, Chunk::Bytes(rest));
                }
            }
        }
    }

    /// Starts what the table says; true where a parser wants the bytes.
    fn begin(&mut self, protocol: &Protocol, context: &mut Context<'_>) -> bool {
        *self = match protocol.start {
            Start::Parser(start) => Self::Known(start(&context.head.id)),
            Start::Label(name) => {
                context.confirm(name);
                Self::Off
            }
        };
        !self.is_off()
    }

    /// Takes one UDP datagram.
    pub(crate) fn datagram(
        &mut self,
        table: &[Protocol],
        counts: &mut Detection,
        context: &mut Context<'_>,
        dir: Dir,
        bytes: &[u8],
    ) {
        if let Self::Unknown(probing) = self {
            let mut ruled_out = 0;
            let found = choose(table, counts, context.head.id.resp_p, dir, bytes, &mut ruled_out);
            if let Some(protocol) = found {
                counts.recognised += 1;
                self.begin(protocol, context);
            } else {
                // A few datagrams of each direction may be foreign (a keep-alive, say) before the first that is not.
                probing.ruled_out[dir.index()] += 1;
                if probing.ruled_out[dir.index()] > 3 {
                    counts.given_up += 1;
                    *self = Self::Off;
                }
                return;
            }
        }
        if !self.is_off() {
            self.feed(table, counts, context, dir, Chunk::Bytes(bytes));
        }
    }

    /// One direction was closed.
    pub(crate) fn end(&mut self, counts: &mut Detection, context: &mut Context<'_>, dir: Dir) {
        self.guarded(counts, context, |parser, context| {
            parser.end(context, dir);
            Next::More
        });
    }

    /// The connection is over.
    pub(crate) fn finish(&mut self, counts: &mut Detection, context: &mut Context<'_>) {
        self.guarded(counts, context, |_, _| Next::Bulk);
    }

    /// Hands a chunk to the parser; bytes that belong to the protocol after it are looked at afresh.
    fn feed(
        &mut self,
        table: &[Protocol],
        counts: &mut Detection,
        context: &mut Context<'_>,
        dir: Dir,
        chunk: Chunk<'_>,
    ) {
        let next = self.guarded(counts, context, |parser, context| match chunk {
            Chunk::Bytes(bytes) => parser.data(context, dir, bytes),
            Chunk::Gap(n) => parser.gap(context, dir, n),
        });
        if let (Next::Switch(used), Chunk::Bytes(bytes)) = (next, chunk)
            && used > 0
            && used < bytes.len()
        {
            self.stream(table, counts, context, dir, Chunk::Bytes(&bytes[used..]));
        }
    }

    fn guarded(
        &mut self,
        counts: &mut Detection,
        context: &mut Context<'_>,
        call: impl FnOnce(&mut dyn Parser, &mut Context<'_>) -> Next,
    ) -> Next {
        let Self::Known(parser) = self else { return Next::More };
        let name = parser.name();
        // What a panicking parser leaves behind is dropped with it.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let next = call(parser.as_mut(), context);
            if next != Next::More {
                parser.finish(context);
            }
            next
        }));
        match result {
            Ok(Next::More) => {}
            Ok(Next::Bulk) => *self = Self::Off,
            Ok(Next::Switch(_)) => *self = Self::default(),
            Ok(Next::NotMine) => {
                counts.refused += 1;
                *self = Self::Off;
            }
            Err(_) => {
                counts.panics += 1;
                *self = Self::Off;
                context.weird("analyzer_panic", Some(name.to_owned()), None);
            }
        }
        result.unwrap_or(Next::Bulk)
    }

    fn give_up_if_hopeless(&mut self, table: &[Protocol], counts: &mut Detection) {
        let Self::Unknown(probing) = self else { return };
        let all = (1 << table.len()) - 1;
        if (0..2).all(|side| probing.blind[side] || probing.ruled_out[side] == all) {
            counts.given_up += 1;
            *self = Self::Off;
        }
    }
}

/// The row whose probe says yes; where several do, the one whose port it is.
fn choose<'t>(
    table: &'t [Protocol],
    counts: &mut Detection,
    port: u16,
    dir: Dir,
    bytes: &[u8],
    ruled_out: &mut u32,
) -> Option<&'t Protocol> {
    let mut found: Option<&Protocol> = None;
    for (row, protocol) in table.iter().enumerate() {
        if *ruled_out & 1 << row != 0 {
            continue;
        }
        let usual = protocol.ports.contains(&port);
        // A probe that panics is asked no more on this connection; its worker goes on.
        let verdict = catch_unwind(|| (protocol.probe)(bytes, dir, usual)).unwrap_or_else(|_| {
            counts.panics += 1;
            Verdict::No
        });
        match verdict {
            Verdict::Yes if usual => return Some(protocol),
            Verdict::Yes => found = found.or(Some(protocol)),
            Verdict::No => *ruled_out |= 1 << row,
            Verdict::More => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::event::{ConnId, Event, Time, Transport, Uid, Value};
    use crate::flow::weird::Limiter;
    use crate::proto::{Head, Limits};

    /// Takes one unit, then breaks.
    struct Broken(bool);

    impl Parser for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }
        fn data(&mut self, _: &mut Context<'_>, _: Dir, _: &[u8]) -> Next {
            assert!(!std::mem::replace(&mut self.0, true), "a fault of ours");
            Next::More
        }
        fn gap(&mut self, _: &mut Context<'_>, _: Dir, _: u64) -> Next {
            Next::More
        }
        fn finish(&mut self, _: &mut Context<'_>) {}
    }

    static TABLE: [Protocol; 2] = [
        Protocol {
            probe: |bytes, _, _| {
                assert!(bytes[0] != b'!', "a fault of ours");
                Verdict::No
            },
            ports: &[],
            start: Start::Label("never"),
        },
        Protocol {
            probe: |_, _, _| Verdict::Yes,
            ports: &[],
            start: Start::Parser(|_| Box::new(Broken(false))),
        },
    ];

    /// Gives the pieces to one connection: names and additions of its weirds, panics counted, whether it is given up.
    fn run(pieces: &[&[u8]]) -> (Vec<(String, String)>, u64, bool) {
        let end = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
        let id = ConnId {
            orig_h: end,
            orig_p: 1,
            resp_h: end,
            resp_p: 2,
            transport: Transport::Tcp,
        };
        let (mut head, mut counts, mut app) = (Head::new(id, Uid::from_hash(1)), Detection::default(), App::default());
        let (mut limiter, limits) = (Limiter::default(), Limits::default());
        let mut weirds = Vec::new();
        let mut sink = |event: &Event| {
            let text = |name| match event.get(name) {
                Some(Value::Str(text)) => text.to_owned(),
                _ => String::new(),
            };
            weirds.push((text("name"), text("addl")));
        };
        for piece in pieces {
            let mut context = Context {
                ts: Time(1),
                head: &mut head,
                sink: &mut sink,
                limiter: &mut limiter,
                limits: &limits,
            };
            app.stream(&TABLE, &mut counts, &mut context, Dir::Orig, Chunk::Bytes(piece));
        }
        (weirds, counts.panics, app.is_off())
    }

    #[test]
    fn a_parser_that_panics_costs_its_connection_and_is_told() {
        let told = vec![("analyzer_panic".to_owned(), "broken".to_owned())];
        assert_eq!(run(&[b"one"]), (vec![], 0, false));
        assert_eq!(run(&[b"one", b"two", b"three"]), (told, 1, true));
    }

    #[test]
    fn a_probe_that_panics_leaves_the_connection_to_the_others() {
        assert_eq!(run(&[b"!"]), (vec![], 1, false));
    }
}
