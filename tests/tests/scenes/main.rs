//! Tests against real servers. Each starts its own; nothing is shared, so each can run alone.

mod failover;
mod postgres_scene;
