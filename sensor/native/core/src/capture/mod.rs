//! Where packets come from: capture files today, interfaces later. Yields frames with a link type and a time.
