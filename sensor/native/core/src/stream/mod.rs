//! TCP reassembly: segments in any order to bytes in order, with bounded memory and gaps that are never spliced.
