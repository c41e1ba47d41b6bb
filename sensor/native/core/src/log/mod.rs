//! Log lines to events, as source definitions (data of the pack) say. No device is known to this code.
