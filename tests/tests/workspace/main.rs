//! What holds of the workspace as a whole.

mod imports;
mod layers;
mod readme;
mod runbooks;
