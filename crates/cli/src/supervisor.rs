//! The supervisor of commands, which is this program again, and the actions, of which one needs it.

use lifeboat::SupervisorProgram;
use lifeboat_action::Registry;

use crate::open_files;

/// The hidden first argument that makes this program a supervisor of commands.
pub(crate) const SUPERVISE: &str = "supervise";

/// All actions. From here on as many files may be open as the system allows.
pub(crate) fn registry() -> Registry {
    let files = open_files::raise().map(|files| files.to_string());
    let args = [SUPERVISE.to_owned()].into_iter().chain(files).collect();
    // The program as it was started, even if a newer one was installed meanwhile.
    lifeboat::registry(SupervisorProgram { program: "/proc/self/exe".into(), args })
}
