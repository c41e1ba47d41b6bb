//! A message's body: its length after decompression, and its first bytes.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use crate::proto::mime;

/// Bytes that one body may decompress to.
const MAX_INFLATED: u64 = 4 * 1024 * 1024;
/// Bodies decompressed at once, over all connections; a decompressor holds some 45 KiB.
const MAX_DECODERS: usize = 256;

/// How a body is compressed (RFC 9110, 8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Deflate,
}

/// Counts decompressed bytes and keeps the first ones.
#[derive(Debug, Default)]
struct Meter {
    length: u64,
    head: Vec<u8>,
}

impl Meter {
    fn take(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let room = mime::HEAD - self.head.len().min(mime::HEAD);
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.length > MAX_INFLATED {
            return Err(io::Error::other("a body decompresses to too much"));
        }
        self.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Decoder {
    Gzip(MultiGzDecoder<Meter>),
    Zlib(ZlibDecoder<Meter>),
    Raw(DeflateDecoder<Meter>),
}

/// One of the [`MAX_DECODERS`] places, given back when dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body while it arrives.
#[derive(Default)]
pub(super) struct Body {
    plain: Meter,
    encoding: Option<Encoding>,
    decoder: Option<(Decoder, Place)>,
    failed: bool,
}

impl Body {
    pub(super) fn new(encoding: Option<Encoding>) -> Self {
        Self {
            encoding,
            ..Self::default()
        }
    }

    pub(super) fn take(&mut self, bytes: &[u8], decoders: &Arc<AtomicUsize>) {
        if bytes.is_empty() {
            return;
        }
        if let Some(encoding) = self.encoding.take() {
            if decoders.fetch_add(1, Ordering::Relaxed) < MAX_DECODERS {
                let place = Place(Arc::clone(decoders));
                self.decoder = Some((Decoder::new(encoding, bytes[0]), place));
            } else {
                decoders.fetch_sub(1, Ordering::Relaxed);
            }
        }
        match &mut self.decoder {
            None => self.plain.take(bytes),
            Some(_) if self.failed => {}
            Some((decoder, _)) => self.failed = decoder.write(bytes).is_err(),
        }
    }

    /// Bytes that were missed: they count, and nothing after them can be decompressed.
    pub(super) fn missed(&mut self, n: u64) {
        if self.decoder.is_some() {
            self.failed = true;
        } else {
            self.plain.length += n;
        }
    }

    /// Length and type.
    pub(super) fn finish(self) -> (u64, Option<&'static str>) {
        let meter = match self.decoder {
            None => self.plain,
            Some((decoder, _)) => decoder.into_meter(),
        };
        (meter.length, mime::sniff(&meter.head))
    }
}

impl Decoder {
    /// `first` is the body's first byte: many senders leave out the zlib header that "deflate" asks for.
    fn new(encoding: Encoding, first: u8) -> Self {
        match encoding {
            Encoding::Gzip => Self::Gzip(MultiGzDecoder::new(Meter::default())),
            Encoding::Deflate if first & 0x0f == 8 => Self::Zlib(ZlibDecoder::new(Meter::default())),
            Encoding::Deflate => Self::Raw(DeflateDecoder::new(Meter::default())),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Self::Zlib(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
            Self::Raw(decoder) => decoder.write_all(bytes).and_then(|()| decoder.flush()),
        }
    }

    fn into_meter(mut self) -> Meter {
        // Damage at the end leaves what came before it.
        match &mut self {
            Self::Gzip(decoder) => {
                let _ = decoder.try_finish();
                std::mem::take(decoder.get_mut())
            }
            Self::Zlib(decoder) => {
                let _ = decoder.try_finish();
                std::mem::take(decoder.get_mut())
            }
            Self::Raw(decoder) => {
                let _ = decoder.try_finish();
                std::mem::take(decoder.get_mut())
            }
        }
    }
}
