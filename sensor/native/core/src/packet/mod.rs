//! Frames to addresses, ports and payload: link layers, encapsulations, IP, TCP and UDP headers. Borrows its input.
