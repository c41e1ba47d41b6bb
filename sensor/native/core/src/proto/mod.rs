//! Application protocols, one folder each, found by their content on any port.
