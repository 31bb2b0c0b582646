//! Tests against real servers. Each starts its own; nothing is shared, so each can run alone.

mod doubt;
mod failover;
mod postgres_scene;
