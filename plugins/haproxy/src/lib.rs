//! Actions on HAProxy's runtime socket.
