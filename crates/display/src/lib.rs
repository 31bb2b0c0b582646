//! Runs, events and problems as a person or a program reads them.
//!
//! Everything here makes texts of views and events; nothing here knows a terminal, a clock or the environment. Texts for
//! people hold the sequences of colours; the writer takes them out where they are not wanted. What does not belong here:
//! the commands that a person may type next, which only the program knows how to spell.

#![warn(missing_docs)]

pub mod action_list;
pub mod describe_event;
pub mod diagnostics;
pub mod json_lines;
pub mod live;
pub mod next_commands;
pub mod output_tail;
pub mod plain;
pub mod run_list;
mod run_stage;
pub mod run_status;
pub mod sanitize;
pub mod state_words;
pub mod style;
pub mod summary;
pub mod table;
pub mod units;
