//! A capture as an input: its frames, and the connections that are open at its end.

use crate::capture::{Frame, Reader};
use crate::event::{Event, EventSink, Time};
use crate::flow::Traffic;
use crate::packet::link::LinkType;
use crate::stats::{Report, Tally};

/// A capture, its connections, and one frame read ahead.
pub struct Capture {
    reader: Reader,
    traffic: Traffic,
    ahead: Option<Ahead>,
    buffer: Vec<u8>,
    last: Time,
    finished: bool,
}

/// A frame's facts; its bytes are in the buffer.
#[derive(Clone, Copy)]
struct Ahead {
    ts: Time,
    link: LinkType,
    orig_len: u32,
    number: u64,
    offset: u64,
}

impl Capture {
    /// The frames of `reader`, as connections of `traffic`.
    pub fn new(reader: Reader, traffic: Traffic) -> Self {
        Self {
            reader,
            traffic,
            ahead: None,
            buffer: Vec::new(),
            last: Time(0),
            finished: false,
        }
    }

    /// Reads a frame ahead: only where inputs are merged, for it costs a copy.
    pub fn next_time(&mut self) -> Option<Time> {
        if self.ahead.is_none() && !self.finished {
            match self.reader.next_frame() {
                Some(frame) => {
                    self.buffer.clear();
                    self.buffer.extend_from_slice(frame.data);
                    let Frame {
                        ts,
                        link,
                        orig_len,
                        number,
                        offset,
                        ..
                    } = frame;
                    self.ahead = Some(Ahead {
                        ts,
                        link,
                        orig_len,
                        number,
                        offset,
                    });
                }
                // The connections that are still open end now.
                None => return Some(self.last),
            }
        }
        self.ahead.map(|ahead| ahead.ts)
    }

    /// Takes the next frame, or the end of all connections; false when all was given out.
    pub fn step(&mut self, each: &mut dyn FnMut(&Event, u64)) -> bool {
        if self.finished {
            return false;
        }
        let ahead = self.ahead.take();
        let frame = match ahead {
            Some(Ahead {
                ts,
                link,
                orig_len,
                number,
                offset,
            }) => Some(Frame {
                ts,
                link,
                data: &self.buffer,
                orig_len,
                number,
                offset,
                offloaded: false,
            }),
            None => self.reader.next_frame(),
        };
        if let Some(frame) = frame {
            let number = frame.number;
            self.last = frame.ts;
            self.traffic.frame(&frame, &mut |event: &Event| each(event, number));
        } else {
            self.finished = true;
            let sink: &mut dyn EventSink = &mut |event: &Event| each(event, u64::MAX);
            self.traffic.finish(sink);
        }
        true
    }

    /// What was wrong with the file, known at its end.
    pub fn warnings(&self) -> Vec<String> {
        self.reader.warning().map(ToString::to_string).into_iter().collect()
    }
}

impl Report for Capture {
    fn report(&self, tally: &mut Tally) {
        self.reader.report(tally);
        self.traffic.report(tally);
    }
}
