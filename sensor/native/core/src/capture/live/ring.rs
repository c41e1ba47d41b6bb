//! The ring that the kernel writes packets to, block by block (`TPACKET_V3`, `packet_mmap.rst` of the kernel).

#![allow(unsafe_code)]

use std::io;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::{tpacket_block_desc, tpacket3_hdr};

use super::{BLOCK, RETIRE, Socket};
use crate::event::Time;

/// Room left before each frame, in which a VLAN tag that the kernel took out is put back.
const TAG: usize = RESERVED as usize;
/// Bytes of both hardware addresses, which the tag follows.
const ADDRESSES: usize = 12;
const PACKET_RESERVE: libc::c_int = 12;
const RESERVED: libc::c_int = 4;
/// Not a size of anything in this version; it only has to fit the number of frames that is said with it.
const FRAME: usize = 2048;

/// A packet where it lies in the ring.
#[derive(Debug)]
pub struct Packet<'a> {
    /// When the kernel took it.
    pub ts: Time,
    /// The frame, with its outer VLAN tag.
    pub data: &'a [u8],
    /// Its length on the wire, the tag included.
    pub orig_len: u32,
    /// Its transport checksum was left to the card and is not right yet.
    pub offloaded: bool,
}

/// Memory shared with the kernel.
#[derive(Debug)]
struct Map {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory belongs to no thread; whoever has the map has it alone.
unsafe impl Send for Map {}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: mapped by `Ring::new` with this length, and nobody borrows from it any more.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// Where reading is inside the block that is being read.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: usize,
    left: u32,
}

/// A socket's ring; packets are read where they lie, and a block goes back when its last packet is done.
#[derive(Debug)]
pub struct Ring {
    map: Map,
    blocks: usize,
    block: usize,
    place: Option<Place>,
    socket: Arc<Socket>,
}

impl Ring {
    /// Makes a ring of so many blocks of [`BLOCK`] bytes.
    ///
    /// # Errors
    /// The system's: no memory, or a kernel without `TPACKET_V3`.
    pub(super) fn new(socket: Arc<Socket>, blocks: usize) -> io::Result<Self> {
        let version = libc::tpacket_versions::TPACKET_V3 as libc::c_int;
        socket.set(libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
        socket.set(libc::SOL_PACKET, PACKET_RESERVE, &RESERVED)?;
        let wish = libc::tpacket_req3 {
            tp_block_size: BLOCK as u32,
            tp_block_nr: blocks as u32,
            tp_frame_size: FRAME as u32,
            tp_frame_nr: (blocks * (BLOCK / FRAME)) as u32,
            tp_retire_blk_tov: RETIRE,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        socket.set(libc::SOL_PACKET, libc::PACKET_RX_RING, &wish)?;
        let length = blocks * BLOCK;
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED);
        let descriptor = std::os::fd::AsRawFd::as_raw_fd(socket.as_ref());
        // SAFETY: a new mapping of the ring that was just made, at an address of the kernel's choice.
        let start = unsafe { libc::mmap(null_mut(), length, protection, flags, descriptor, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))?;
        Ok(Self {
            map: Map { start, length },
            blocks,
            block: 0,
            place: None,
            socket,
        })
    }

    /// The socket it belongs to.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// More than half of it waits to be read.
    pub fn is_crowded(&self) -> bool {
        self.is_ready((self.block + self.blocks / 2) % self.blocks)
    }

    /// The next packet's time, where one has come.
    pub fn next_time(&mut self) -> Option<Time> {
        let place = self.place()?;
        // SAFETY: `place` is inside a block that is ours: see `header`.
        Some(unsafe { time(&*self.header(place)) })
    }

    /// The next packet; it stays the next until [`Ring::advance`].
    pub fn peek(&mut self) -> Option<Packet<'_>> {
        let place = self.place()?;
        let header = self.header(place);
        // SAFETY: the block is ours (`place` saw its status), and the kernel wrote a header there.
        let head = unsafe { &*header };
        let (mac, kept) = (usize::from(head.tp_mac), head.tp_snaplen as usize);
        debug_assert!(place.offset + mac + kept <= BLOCK);
        let ts = time(head);
        let tagged = head.tp_status & libc::TP_STATUS_VLAN_VALID != 0 && kept >= ADDRESSES && mac >= TAG;
        let offloaded = head.tp_status & libc::TP_STATUS_CSUMNOTREADY != 0;
        let tpid = if head.tp_status & libc::TP_STATUS_VLAN_TPID_VALID != 0 {
            head.hv1.tp_vlan_tpid
        } else {
            libc::ETH_P_8021Q as u16
        };
        let tag = [tpid.to_be_bytes(), (head.hv1.tp_vlan_tci as u16).to_be_bytes()].concat();
        let extra = if tagged { TAG } else { 0 };
        let orig_len = head.tp_len + extra as u32;
        // SAFETY: the frame lies in our block at `mac`, `kept` bytes long, with `TAG` bytes reserved before it; the block is
        // borrowed with `self`, and given back by `advance` only.
        let data = unsafe {
            let start = header.cast::<u8>().cast_mut().add(mac);
            std::slice::from_raw_parts_mut(start.sub(extra), kept + extra)
        };
        if tagged {
            data.copy_within(TAG..TAG + ADDRESSES, 0);
            data[ADDRESSES..ADDRESSES + TAG].copy_from_slice(&tag);
            // Once only, should the packet be looked at again.
            // SAFETY: as above; nothing borrows the header any more.
            unsafe {
                let head = header.cast_mut();
                (*head).tp_status &= !libc::TP_STATUS_VLAN_VALID;
                (*head).tp_mac -= TAG as u16;
                (*head).tp_snaplen += TAG as u32;
                (*head).tp_len += TAG as u32;
            }
        }
        Some(Packet {
            ts,
            data,
            orig_len,
            offloaded,
        })
    }

    /// Done with the packet that [`Ring::peek`] gave.
    pub fn advance(&mut self) {
        let Some(place) = self.place else { return };
        if place.left <= 1 {
            self.give_back();
            return;
        }
        // SAFETY: `place` is inside a block that is ours: see `header`.
        let step = unsafe { (*self.header(place)).tp_next_offset } as usize;
        self.place = Some(Place {
            offset: place.offset + step,
            left: place.left - 1,
        });
    }

    /// Where the next packet is; takes the next block where the kernel has handed it over.
    fn place(&mut self) -> Option<Place> {
        while self.place.is_none() {
            if !self.is_ready(self.block) {
                return None;
            }
            // SAFETY: the block is ours, and the kernel wrote its description.
            let description = unsafe { (*self.description(self.block)).hdr.bh1 };
            if description.num_pkts == 0 {
                self.give_back();
                continue;
            }
            self.place = Some(Place {
                offset: description.offset_to_first_pkt as usize,
                left: description.num_pkts,
            });
        }
        self.place
    }

    fn give_back(&mut self) {
        self.status(self.block).store(libc::TP_STATUS_KERNEL, Ordering::Release);
        self.block = (self.block + 1) % self.blocks;
        self.place = None;
    }

    fn is_ready(&self, block: usize) -> bool {
        self.status(block).load(Ordering::Acquire) & libc::TP_STATUS_USER != 0
    }

    fn description(&self, block: usize) -> *mut tpacket_block_desc {
        // SAFETY: `block` is below `blocks`, so that this is inside the mapping, and aligned as blocks are.
        unsafe { self.map.start.as_ptr().add(block * BLOCK).cast() }
    }

    fn status(&self, block: usize) -> &AtomicU32 {
        // SAFETY: the field is a `u32` that both sides only load and store whole; it lives as long as the mapping.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.description(block)).hdr.bh1.block_status) }
    }

    /// A packet's header. Only of a place in the present block, whose status said that it is ours.
    fn header(&self, place: Place) -> *const tpacket3_hdr {
        debug_assert!(place.offset + size_of::<tpacket3_hdr>() <= BLOCK);
        // SAFETY: inside the mapping, as the kernel's offsets are inside their block.
        unsafe { self.map.start.as_ptr().add(self.block * BLOCK + place.offset).cast() }
    }
}

fn time(head: &tpacket3_hdr) -> Time {
    Time(i64::from(head.tp_sec) * 1_000_000_000 + i64::from(head.tp_nsec))
}
