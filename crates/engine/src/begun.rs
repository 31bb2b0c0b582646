//! Beginning a piece of work on the spot: much of what an action does is over at the first poll, or waits from then on
//! for somebody else.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Work that was polled once.
pub(crate) enum Begun<W: Future> {
    /// It is over.
    Over(W::Output),
    /// It has more to do. Nobody is told when it can: it has to be polled again, as a new task is.
    Pending(Pin<Box<W>>),
}

/// Polls the work once.
pub(crate) fn begin<W: Future>(work: W) -> Begun<W> {
    let mut work = Box::pin(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Begun::Over(output),
        Poll::Pending => Begun::Pending(work),
    }
}
