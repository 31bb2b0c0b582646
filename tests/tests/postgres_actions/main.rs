//! The PostgreSQL actions against real servers. Each test starts its own; nothing is shared.

mod bench;
mod changes_nothing;
mod check;
mod client;
mod fence;
mod harmlessness;
mod login;
mod own_trouble;
mod promote;
mod proxy;
mod query;
mod rehearsals;
