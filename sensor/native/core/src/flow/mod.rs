//! The flow table: which connection a packet belongs to, and what `conn` says of it at its end.
