//! The store from outside: what it promises, and what it makes of damage.

mod checkpoints;
mod home;
mod journal_damage;
mod lock;
mod suite;
