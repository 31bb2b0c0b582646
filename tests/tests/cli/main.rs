//! The program as a person or a script meets it: what it prints, where, and how it exits.

mod catalogue;
mod checking;
mod deciding;
mod editing;
mod failing;
mod filling;
mod folders;
mod help;
mod looking;
mod rehearsing;
mod resuming;
mod running;
mod secrets;
mod terminal;
mod undriven;
mod unread;
