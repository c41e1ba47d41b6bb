//! The system calls of packet sockets (packet(7)): each is one call, and nothing here decides anything.

#![allow(unsafe_code)]

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_int, c_void, socklen_t};

use super::{Program, Statistics};

/// All protocols, in network order.
const EVERYTHING: u16 = (libc::ETH_P_ALL as u16).to_be();

/// A packet socket that gets frames from their link header on.
#[derive(Debug)]
pub struct Socket(OwnedFd);

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl Socket {
    /// Opens one that hears nothing yet. What this machine sends is left out where the kernel (4.20) can do that.
    ///
    /// # Errors
    /// The system's: `EPERM` without `CAP_NET_RAW`.
    pub fn open() -> io::Result<Self> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: no pointers.
        let raw = checked(unsafe { libc::socket(libc::AF_PACKET, kind, 0) })?;
        // SAFETY: the descriptor is fresh and nobody else's.
        let socket = Self(unsafe { OwnedFd::from_raw_fd(raw) });
        match socket.set(libc::SOL_PACKET, libc::PACKET_IGNORE_OUTGOING, &1) {
            Err(error) if error.raw_os_error() != Some(libc::ENOPROTOOPT) => Err(error),
            _ => Ok(socket),
        }
    }

    /// Sets an option to the bytes of `value`, which is an integer or a `repr(C)` structure of the kernel's.
    pub(super) fn set<T: Copy>(&self, level: c_int, option: c_int, value: &T) -> io::Result<()> {
        let value = std::ptr::from_ref(value).cast::<c_void>();
        // SAFETY: the kernel reads `size_of::<T>()` bytes of a live value.
        let result = unsafe { libc::setsockopt(self.as_raw_fd(), level, option, value, size_of::<T>() as socklen_t) };
        checked(result).map(drop)
    }

    fn get<T: Copy>(&self, level: c_int, option: c_int) -> io::Result<T> {
        // SAFETY: used with integers and structures of integers, for which zeros are a value.
        let mut value: T = unsafe { zeroed() };
        let mut length = size_of::<T>() as socklen_t;
        let target = std::ptr::from_mut(&mut value).cast::<c_void>();
        // SAFETY: the kernel writes at most `length` bytes to a live value.
        checked(unsafe { libc::getsockopt(self.as_raw_fd(), level, option, target, &raw mut length) })?;
        Ok(value)
    }

    fn program(&self, level: c_int, option: c_int, program: &Program) -> io::Result<()> {
        let mut code: Vec<libc::sock_filter> = program
            .instructions()
            .iter()
            .map(|i| libc::sock_filter {
                code: i.code,
                jt: i.jt,
                jf: i.jf,
                k: i.k,
            })
            .collect();
        let wrapped = libc::sock_fprog {
            len: code.len() as u16,
            filter: code.as_mut_ptr(),
        };
        self.set(level, option, &wrapped) // the kernel copies `code`, which lives until here
    }

    /// Takes only what `program` accepts, replacing the filter before.
    pub(super) fn filter(&self, program: &Program) -> io::Result<()> {
        self.program(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, program)
    }

    /// Takes everything.
    pub(super) fn unfilter(&self) -> io::Result<()> {
        self.set(libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &0)
    }

    /// Hears the interface with this number.
    pub(super) fn bind(&self, index: u32) -> io::Result<()> {
        // SAFETY: zeros are an address.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = EVERYTHING;
        address.sll_ifindex = index.cast_signed();
        let place = (&raw const address).cast::<libc::sockaddr>();
        let length = size_of::<libc::sockaddr_ll>() as socklen_t;
        // SAFETY: a live address of the length that is said.
        checked(unsafe { libc::bind(self.as_raw_fd(), place, length) }).map(drop)
    }

    /// Makes the interface promiscuous while this socket is open.
    pub(super) fn promiscuous(&self, index: u32) -> io::Result<()> {
        let wish = libc::packet_mreq {
            mr_ifindex: index.cast_signed(),
            mr_type: libc::PACKET_MR_PROMISC as u16,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &wish)
    }

    /// Begins a fan-out; the number that the kernel gave it.
    pub(super) fn begin(&self, by_program: bool) -> io::Result<u16> {
        let wish = kind(by_program) << 16 | libc::PACKET_FANOUT_FLAG_UNIQUEID << 16;
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &wish)?;
        let got: u32 = self.get(libc::SOL_PACKET, libc::PACKET_FANOUT)?;
        Ok((got & 0xffff) as u16)
    }

    /// Joins a fan-out as its next member.
    pub(super) fn join(&self, group: u16, by_program: bool) -> io::Result<()> {
        let wish = kind(by_program) << 16 | u32::from(group);
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &wish)
    }

    /// Tells the fan-out which member gets a packet: the program's answer modulo their number.
    pub(super) fn spread(&self, program: &Program) -> io::Result<()> {
        self.program(libc::SOL_PACKET, libc::PACKET_FANOUT_DATA, program)
    }

    /// What the kernel counted since the last call.
    pub(super) fn statistics(&self) -> io::Result<Statistics> {
        let counted: libc::tpacket_stats_v3 = self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS)?;
        Ok(Statistics {
            packets: counted.tp_packets.into(),
            dropped: counted.tp_drops.into(),
            freezes: counted.tp_freeze_q_cnt.into(),
        })
    }

    /// The fault that waits on the socket, and takes it off: the interface went down, or away.
    pub fn fault(&self) -> Option<io::Error> {
        match self.get::<c_int>(libc::SOL_SOCKET, libc::SO_ERROR) {
            Ok(0) => None,
            Ok(number) => Some(io::Error::from_raw_os_error(number)),
            Err(error) => Some(error),
        }
    }

    /// The largest packet that an interface sends.
    pub(super) fn mtu(&self, name: &str) -> io::Result<u32> {
        // SAFETY: zeros are a request.
        let mut request: libc::ifreq = unsafe { zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes().take(libc::IFNAMSIZ - 1)) {
            *to = from.cast_signed() as libc::c_char;
        }
        // SAFETY: the kernel reads the name and writes a number into the live request.
        checked(unsafe { libc::ioctl(self.as_raw_fd(), libc::SIOCGIFMTU, &raw mut request) })?;
        // SAFETY: the call wrote this member.
        Ok(unsafe { request.ifr_ifru.ifru_mtu }.unsigned_abs())
    }
}

fn kind(by_program: bool) -> u32 {
    if by_program {
        libc::PACKET_FANOUT_CBPF
    } else {
        libc::PACKET_FANOUT_HASH
    }
}

/// Waits until one of the sockets has something, or a fault, or `timeout` milliseconds passed.
pub fn wait<'a>(sockets: impl Iterator<Item = &'a Socket>, timeout: c_int) {
    let mut asked: Vec<libc::pollfd> = sockets
        .map(|socket| libc::pollfd {
            fd: socket.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    // SAFETY: a live array of the length that is said. An interrupted wait is a short one.
    unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, timeout) };
}
