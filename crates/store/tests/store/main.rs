//! The store from outside: what it promises, and what it makes of damage.

mod checkpoints;
mod driver;
mod format;
mod home;
mod journal_damage;
mod killed;
mod lock;
mod power_cut;
mod suite;
