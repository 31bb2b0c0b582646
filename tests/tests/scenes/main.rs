//! Tests against real servers. Each starts its own; nothing is shared, so each can run alone.

mod postgres_scene;
