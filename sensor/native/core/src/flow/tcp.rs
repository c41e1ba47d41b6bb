//! TCP's two endpoints as Zeek sees them: states, sequence space, what was acknowledged and never seen.
//!
//! Offsets are relative to an endpoint's initial sequence number and 64 bits wide, so that nothing wraps.

use crate::flow::history::{History, Scaled};
use crate::packet::transport::{Flags, Segment};
use crate::stream::Stream;

/// An offset that jumps further than this with SYN or RST is not believed.
const TOO_FAR: i64 = 1 << 20;

/// Zeek's endpoint states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Inactive,
    SynSent,
    SynAckSent,
    Partial,
    Established,
    Closed,
    Reset,
}

/// One end.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) state: State,
    before: State,
    /// Initial sequence number; offset 0.
    start: u32,
    /// One past the highest offset sent.
    last: i64,
    /// Highest offset that the peer acknowledged.
    acked: i64,
    fins: u32,
    /// Offset one past its FIN.
    fin: i64,
    closed: bool,
    /// Its parser was told that nothing more will come.
    told: bool,
    last_syn: Option<i64>,
    last_fin: Option<i64>,
    last_rst: Option<i64>,
    retransmissions: Scaled,
    zero_windows: Scaled,
    gaps: Scaled,
    pub(crate) stream: Stream,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            state: State::Inactive,
            before: State::Inactive,
            start: 0,
            last: 0,
            acked: 0,
            fins: 0,
            fin: 0,
            closed: false,
            told: false,
            last_syn: None,
            last_fin: None,
            last_rst: None,
            retransmissions: Scaled::default(),
            zero_windows: Scaled::default(),
            gaps: Scaled::default(),
            stream: Stream::default(),
        }
    }
}

impl Endpoint {
    fn set(&mut self, state: State) {
        if state != self.state {
            (self.before, self.state) = (self.state, state);
        }
    }

    fn begin(&mut self, start: u32, last: i64) {
        (self.start, self.last, self.acked) = (start, last, 0);
    }

    /// The offset of a sequence number, taken as the one nearest to `near`.
    fn offset(&self, seq: u32, near: i64) -> i64 {
        // The lower half is what counts in sequence space.
        let near_seq = self.start.wrapping_add(near.cast_unsigned() as u32);
        near + i64::from(seq.wrapping_sub(near_seq).cast_signed())
    }

    /// Whether the peer ever acknowledged data of it.
    pub(crate) fn data_acked(&self) -> bool {
        self.acked > 1
    }

    /// Payload bytes by sequence numbers, sent or acknowledged, without SYN and FIN.
    pub(crate) fn size(&self, peer: &Self) -> u64 {
        if self.before == State::SynSent
            && self.state == State::Reset
            && peer.state == State::Inactive
            && self.acked > 1
        {
            // A half-open connection discovered and aborted: its numbers say nothing of data.
            return 0;
        }
        let mut size = self.last.max(self.acked);
        size -= i64::from(size > 0);
        size -= i64::from(size > 0 && self.fins > 0);
        u64::try_from(size).unwrap_or(0)
    }

    /// True once, when all bytes before its FIN were handed on.
    pub(crate) fn reaches_end(&mut self) -> bool {
        let ends = self.fins > 0 && !self.told && self.stream.next().cast_signed() >= self.fin - 1;
        self.told |= ends;
        ends
    }

    fn clean(&self) -> bool {
        self.state == State::Established || self.state == State::Closed && self.before == State::Established
    }
}

/// What a segment leads to beyond the endpoints' own state.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outcome {
    /// Offset of the segment's data, where it may be handed on.
    pub(crate) data_at: Option<u64>,
    /// Up to which offset the segment acknowledges its receiver's data.
    pub(crate) acks: Option<u64>,
    /// The connection's roles are to be turned over.
    pub(crate) flip: bool,
    /// Zeek's name for what should not be.
    pub(crate) weird: Option<&'static str>,
}

/// Both ends of a TCP connection; 0 is the originator.
#[derive(Debug, Default)]
pub(crate) struct Tcp {
    pub(crate) ends: [Endpoint; 2],
    seen: [bool; 2],
    partial: bool,
    /// It was complete once: both ends closed, a reset, or the only end that was seen closed.
    pub(crate) over: bool,
}

impl Tcp {
    fn pair(&mut self, side: usize) -> (&mut Endpoint, &mut Endpoint) {
        let [orig, resp] = &mut self.ends;
        if side == 0 { (orig, resp) } else { (resp, orig) }
    }

    /// Whether both ends have closed, so that packets no longer count for the duration.
    pub(crate) fn both_closed(&self) -> bool {
        self.ends[0].closed && self.ends[1].closed
    }

    /// Whether neither end has got past its handshake.
    pub(crate) fn half_open(&self) -> bool {
        self.ends
            .iter()
            .all(|end| matches!(end.state, State::Inactive | State::SynSent | State::SynAckSent))
    }

    /// Whether a segment starts a new connection on this one's key.
    pub(crate) fn is_reuse(&self, segment: &Segment<'_>) -> bool {
        if !segment.flags.syn() {
            return false;
        }
        let [orig, resp] = &self.ends;
        let mut first = orig;
        if segment.flags.ack() {
            if orig.state != State::Inactive {
                return false;
            }
            first = resp;
        }
        if !self.ended() {
            if segment.seq == first.start {
                return false;
            }
            // SYN and SYN-ACK seen in the wrong order: the roles are turned over instead.
            if !segment.flags.ack()
                && first.state == State::SynAckSent
                && resp.state == State::Inactive
                && segment.seq == resp.start
            {
                return false;
            }
        }
        true
    }

    fn ended(&self) -> bool {
        let done = |end: &Endpoint| matches!(end.state, State::Closed | State::Reset);
        done(&self.ends[0]) && done(&self.ends[1]) || self.ends.iter().any(|end| end.state == State::Reset)
    }

    /// Takes a segment of `side`; data is handed on by the caller.
    pub(crate) fn segment(&mut self, side: usize, segment: &Segment<'_>, history: &mut History) -> Outcome {
        let mut out = Outcome::default();
        let flags = segment.flags;
        let len = segment.data_len.cast_signed() as i64;
        if !self.seen[side] {
            if side == 0 {
                self.partial = !flags.syn() || flags.ack();
            } else if !self.partial {
                self.partial = !flags.syn();
            }
        }
        let partial = self.partial;
        let (end, peer) = self.pair(side);
        // RST carries no data in sequence space.
        let span = i64::from(flags.syn()) + i64::from(flags.fin()) + if flags.rst() { 0 } else { len };
        out.weird = prepare(end, flags, segment.seq, span);
        let at = end.offset(segment.seq, end.last);
        let underflow = at < 0;
        note(history, end, side, flags, at, len);
        if segment.window == 0 && !flags.rst() && peer.state != State::Closed && end.state != State::Reset {
            end.zero_windows.hit(history, side, b'W');
        }
        if flags.fin() {
            end.fins += 1;
            end.fin = at + span;
        }
        let mut acks = None;
        if flags.ack() {
            if peer.state == State::Inactive {
                peer.begin(segment.ack.wrapping_sub(1), 0);
                acks = Some(1);
            } else {
                let ack = peer.offset(segment.ack, peer.acked);
                let broken = segment.ack == 0 && ack - peer.acked > TOO_FAR;
                acks = Some(ack.max(0));
                if ack < 0 {
                    out.weird = out.weird.or(Some("TCP_ack_underflow_or_misorder"));
                } else if !flags.rst() && !broken && ack > peer.acked {
                    peer.acked = ack;
                }
            }
        }
        let past = at + span;
        let advance = past - end.last;
        if (flags.syn() || flags.rst()) && advance.abs() > TOO_FAR {
            // Not believed.
        } else if flags.fin() && end.last == 1 {
            // SYN and FIN are all that was seen: a connection of any length.
            end.last = past;
        } else if end.state == State::Reset {
            // Nothing after a reset is believed.
        } else if advance > 0 {
            end.last = past;
        } else if len > 0 {
            end.retransmissions.hit(history, side, b'T');
        }
        let close = self.advance(side, segment, advance, &mut out);
        let side = if out.flip { 1 - side } else { side };
        if out.flip {
            self.ends.swap(0, 1);
            self.seen.swap(0, 1);
        }
        if let Some(ack) = acks {
            let peer = &self.ends[1 - side];
            let ack = if peer.fins > 0 && ack >= peer.fin {
                peer.fin - 1
            } else {
                ack
            };
            // The first acknowledgement of a connection seen from its middle may miss what came before it.
            if ack > 2 || !partial {
                out.acks = u64::try_from(ack).ok();
            }
        }
        self.seen[side] = true;
        let whole = segment.data.len() >= segment.data_len;
        if len > 0 && !flags.rst() && !underflow {
            let data_at = (at + i64::from(flags.syn())).cast_unsigned();
            if whole {
                out.data_at = Some(data_at);
            } else {
                out.weird = out.weird.or(Some("truncated_tcp_payload"));
            }
        }
        if close {
            self.over |= self.close(side);
        }
        out
    }

    /// The sender has closed; true once the connection is complete.
    fn close(&mut self, side: usize) -> bool {
        let (end, peer) = self.pair(side);
        if end.closed {
            return false;
        }
        end.closed = true;
        end.state == State::Reset || peer.closed || peer.state == State::Inactive
    }

    /// Zeek's state machine; true where the sender closes.
    fn advance(&mut self, side: usize, segment: &Segment<'_>, advance: i64, out: &mut Outcome) -> bool {
        let flags = segment.flags;
        let (end, peer) = self.pair(side);
        let weird = |out: &mut Outcome, name| out.weird = out.weird.or(Some(name));
        match end.state {
            State::Inactive => {
                let partial_over = inactive(end, peer, side, segment, out);
                if partial_over {
                    self.partial = false;
                }
                flags.fin() || flags.rst()
            }
            State::SynSent | State::SynAckSent => {
                if flags.fin() {
                    if matches!(peer.state, State::Inactive | State::SynSent) {
                        weird(out, "inappropriate_FIN");
                    }
                    end.set(State::Closed);
                }
                if flags.rst() {
                    end.set(State::Reset);
                } else if segment.data_len > 0 {
                    weird(out, "data_before_established");
                }
                flags.fin() || flags.rst()
            }
            State::Established | State::Partial => {
                if flags.syn() && end.state == State::Partial && peer.state == State::Inactive && !flags.ack() {
                    weird(out, "SYN_after_partial");
                    end.set(State::SynSent);
                }
                if flags.fin() && !flags.rst() {
                    end.set(State::Closed);
                    if peer.state == State::Reset && peer.before == State::Closed {
                        // FIN, then RST: it was a normal end after all.
                        peer.set(State::Closed);
                    }
                }
                if flags.rst() {
                    end.set(State::Reset);
                }
                flags.fin() || flags.rst()
            }
            State::Closed => {
                if flags.syn() {
                    weird(out, "SYN_after_close");
                }
                if flags.fin() && advance > 0 {
                    weird(out, "FIN_advanced_last_seq");
                }
                if flags.rst() && peer.state != State::Closed {
                    end.set(State::Reset);
                    return !end.closed;
                }
                false
            }
            State::Reset => {
                if flags.syn() {
                    weird(out, "SYN_after_reset");
                }
                if flags.fin() {
                    weird(out, "FIN_after_reset");
                }
                if segment.data_len > 0 && !flags.rst() {
                    weird(out, "data_after_reset");
                }
                false
            }
        }
    }

    /// Counts bytes that `side` sent and we missed, where Zeek believes it; true if they count.
    pub(crate) fn missed(&mut self, side: usize, history: &mut History) -> bool {
        let [orig, resp] = &mut self.ends;
        if !(orig.clean() && resp.clean()) {
            return false;
        }
        let end = if side == 0 { orig } else { resp };
        end.gaps.hit(history, side, b'G');
        true
    }

    /// Zeek's `conn_state`.
    pub(crate) fn conn_state(&self) -> &'static str {
        let [orig, resp] = &self.ends;
        let silent = |end: &Endpoint| matches!(end.state, State::Inactive | State::Partial);
        match (orig.state, resp.state) {
            (State::SynSent | State::SynAckSent, State::Reset) => "REJ",
            (State::Reset, State::Reset) if orig.size(resp) == 0 && resp.size(orig) == 0 => "REJ",
            (_, State::Reset) if silent(orig) => "RSTRH",
            (_, State::Reset) => "RSTR",
            (State::Reset, _) if silent(resp) => "RSTOS0",
            (State::Reset, _) => "RSTO",
            (State::Closed, State::Closed) => "SF",
            (State::Closed, _) if silent(resp) => "SH",
            (State::Closed, _) => "S2",
            (_, State::Closed) if silent(orig) => "SHR",
            (_, State::Closed) => "S3",
            (State::SynSent, State::Inactive) => "S0",
            (State::Established, State::Established) => "S1",
            _ => "OTH",
        }
    }
}

/// Sets the sequence space up for a segment.
fn prepare(end: &mut Endpoint, flags: Flags, seq: u32, span: i64) -> Option<&'static str> {
    match end.state {
        State::Inactive if flags.syn() => {
            end.begin(seq, span);
            None
        }
        State::Inactive => {
            // As though a SYN had come just before, so that the numbering is the same.
            end.begin(seq.wrapping_sub(1), 1);
            None
        }
        State::SynSent | State::SynAckSent | State::Established | State::Partial if flags.syn() => {
            let established = matches!(end.state, State::Established | State::Partial);
            let jumped = seq != end.start;
            let inside = established && end.last > 1;
            if jumped || established {
                end.begin(seq, span);
            }
            if inside {
                Some("SYN_inside_connection")
            } else if jumped {
                Some("SYN_seq_jump")
            } else {
                None
            }
        }
        State::Reset if flags.syn() && end.before == State::Inactive => {
            end.begin(seq, span);
            None
        }
        _ => None,
    }
}

fn note(history: &mut History, end: &mut Endpoint, side: usize, flags: Flags, at: i64, len: i64) {
    match (flags.syn(), flags.fin(), flags.rst()) {
        (_, true, true) => {
            history.once(side, b'I');
        }
        (true, true, false) | (true, false, true) => {
            history.once(side, b'Q');
        }
        (true, false, false) => {
            let letter = if flags.ack() { b'H' } else { b'S' };
            if end.last_syn != Some(at) {
                history.push(side, letter);
            }
            end.last_syn = Some(at);
        }
        (false, true, false) => {
            if end.last_fin != Some(at + len) {
                history.push(side, b'F');
            }
            end.last_fin = Some(at + len);
        }
        (false, false, true) => {
            if end.last_rst != Some(at) {
                history.push(side, b'R');
            }
            end.last_rst = Some(at);
        }
        (false, false, false) => {
            if len > 0 {
                history.once(side, b'D');
            } else if flags.ack() {
                history.once(side, b'A');
            }
        }
    }
}

/// First segment of an endpoint; true where the connection turns out not to be partial.
fn inactive(end: &mut Endpoint, peer: &mut Endpoint, side: usize, segment: &Segment<'_>, out: &mut Outcome) -> bool {
    let flags = segment.flags;
    let weird = |out: &mut Outcome, name| out.weird = out.weird.or(Some(name));
    let mut whole = false;
    if flags.syn() {
        if side == 0 {
            if flags.ack() {
                weird(out, "connection_originator_SYN_ack");
                end.set(State::SynAckSent);
            } else {
                end.set(State::SynSent);
            }
        } else {
            if flags.ack() {
                let ack = peer.offset(segment.ack, peer.last);
                if !matches!(peer.state, State::Inactive | State::Partial) && !(0..=peer.last).contains(&ack) {
                    weird(out, "bad_SYN_ack");
                }
            } else if peer.state == State::SynAckSent && segment.seq == end.start {
                // SYN and SYN-ACK came in the wrong order.
                whole = true;
                out.flip = true;
                peer.set(State::Established);
            } else {
                weird(out, "simultaneous_open");
            }
            if peer.state == State::SynSent {
                peer.set(State::Established);
            } else if peer.state == State::Inactive {
                weird(out, "unsolicited_SYN_response");
            }
            end.set(State::Established);
        }
    }
    if flags.fin() {
        end.set(State::Closed);
        if peer.state != State::Partial && !flags.syn() {
            weird(out, "spontaneous_FIN");
        }
    }
    if flags.rst() {
        end.set(State::Reset);
        if peer.state == State::Inactive {
            weird(out, "spontaneous_RST");
        }
    }
    if end.state == State::Inactive {
        if side == 1 && segment.data_len == 0 && peer.state == State::SynSent {
            // Some answer a SYN with a bare ACK before their own.
        } else if flags.ack() && peer.state == State::Established {
            // The SYN was missed, its answer was not.
            end.set(State::Established);
            whole = true;
        } else {
            end.set(State::Partial);
        }
    }
    whole
}
