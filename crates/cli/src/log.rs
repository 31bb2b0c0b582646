//! Warnings of every part of the program, on stderr, above whatever is being redrawn there.

use std::fmt;
use std::io;
use std::sync::Arc;

use lifeboat_display::style::{ERROR, FAINT, WARNING};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::terminal::Terminal;

/// What is shown when nobody asked for more.
const DEFAULT: &str = "warn";

/// Starts logging. A filter that makes no sense (it may be another program's `RUST_LOG`) stops no run.
pub(crate) fn start(filter: Option<&str>, terminal: &Arc<Terminal>) {
    let wanted = filter.filter(|filter| !filter.trim().is_empty()).unwrap_or(DEFAULT);
    let (filter, wrong) = match EnvFilter::try_new(wanted) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT), Some(error)),
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Above(Arc::clone(terminal)))
        .event_format(Lines)
        .finish();
    // Nothing else in this program sets one, so this cannot fail.
    drop(tracing::subscriber::set_global_default(subscriber));
    if let Some(error) = wrong {
        tracing::warn!("`{wanted}` is not a log filter: {error}");
    }
}

/// `warning: message key=value`; more below warnings, for those who asked for it.
struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        match *metadata.level() {
            Level::ERROR => write!(writer, "{ERROR}error:{ERROR:#} ")?,
            Level::WARN => write!(writer, "{WARNING}warning:{WARNING:#} ")?,
            level => write!(writer, "{FAINT}{level} {}:{FAINT:#} ", metadata.target())?,
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Writes to the terminal's stderr.
struct Above(Arc<Terminal>);

impl MakeWriter<'_> for Above {
    type Writer = LineWriter;

    fn make_writer(&self) -> LineWriter {
        LineWriter { terminal: Arc::clone(&self.0) }
    }
}

/// One event's lines: the subscriber writes them at once.
struct LineWriter {
    terminal: Arc<Terminal>,
}

impl io::Write for LineWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.terminal.say(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
