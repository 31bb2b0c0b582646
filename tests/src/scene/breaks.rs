//! What can go wrong in a scene, and what comes back.

use std::time::Duration;

use rustix::process::Signal;

use super::facts::Role;
use super::node::Node;
use super::postgres::{PostgresScene, START};
use crate::process::Process;

/// How long a killed process may take to be gone.
const END: Duration = Duration::from_secs(10);

impl PostgresScene {
    /// Kills every process of a node with SIGKILL, as a host that loses power would.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn kill(&self, node: Node) {
        self.end(node.name(), self.server(node));
    }

    /// Stops every process of a node in its tracks: connections stay open, new ones are accepted by the kernel, nothing answers.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn freeze(&self, node: Node) {
        signal_tree(self.server(node), Signal::STOP);
    }

    /// Stops a node's first process alone: sessions that are open go on, new ones are accepted by the kernel and get no
    /// answer. [`PostgresScene::thaw`] lets it go on.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn freeze_postmaster(&self, node: Node) {
        self.server(node).signal(Signal::STOP).expect("one's own server can be stopped");
    }

    /// Lets a frozen node, or one with a stopped sender, go on.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn thaw(&self, node: Node) {
        signal_tree(self.server(node), Signal::CONT);
    }

    /// Stops the process that sends `primary`'s log to its standby: rows are acknowledged and stay on the primary alone.
    /// (On a synchronous scene, commits hang.) [`PostgresScene::thaw`] lets it go on.
    ///
    /// # Panics
    /// When no standby streams from `primary`.
    #[track_caller]
    pub fn stop_sender(&self, primary: Node) {
        let pid = self.sql(primary, "select pid from pg_stat_replication limit 1");
        let sender = pid.parse().ok().and_then(Process::find);
        let sender = sender.unwrap_or_else(|| panic!("no standby streams from {primary}"));
        sender.signal(Signal::STOP).expect("one's own server can be stopped");
    }

    /// Stops the process that replays the log on a standby: a promotion that is asked for does not come about.
    /// [`PostgresScene::thaw`] lets it go on.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn stop_startup(&self, standby: Node) {
        let pid = self.sql(standby, "select pid from pg_stat_activity where backend_type = 'startup'");
        let startup = pid.parse().ok().and_then(Process::find);
        let startup = startup.unwrap_or_else(|| panic!("{standby} replays nothing"));
        startup.signal(Signal::STOP).expect("one's own server can be stopped");
    }

    /// Pauses the replay on a standby: it goes on receiving.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn pause_replay(&self, standby: Node) {
        self.sql(standby, "select pg_wal_replay_pause()");
    }

    /// Resumes the replay on a standby.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn resume_replay(&self, standby: Node) {
        self.sql(standby, "select pg_wal_replay_resume()");
    }

    /// Starts a killed node again just as it was left, as a host that reboots would: after a failover, a second primary.
    ///
    /// # Panics
    /// When it still runs, or does not come up.
    #[track_caller]
    pub fn restart(&self, node: Node) {
        assert_eq!(self.role(node), Role::Down, "only a killed node can come back");
        self.launch(node);
        self.wait_until(&format!("{node} answers"), START, || self.try_sql(node, "select 1"));
    }

    /// Kills HAProxy; [`PostgresScene::start_haproxy`] brings it back with its first settings.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn kill_haproxy(&self) {
        let process = self.running().haproxy;
        self.end("haproxy", process.expect("HAProxy was started with the scene"));
    }

    /// Ends the writer, the row in flight first; [`PostgresScene::start_writer`] goes on from there.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn stop_writer(&self) {
        let Some(writer) = self.running().writer else { return };
        writer.signal(Signal::TERM).expect("one's own writer can be stopped");
        self.wait_until("the writer ends", END, || !writer.is_alive());
    }

    /// Makes the service quiet, for a [`PostgresScene::fingerprint`]: ends the writer, and waits until a standby that streams
    /// has replayed all there is.
    ///
    /// # Panics
    /// When the standby does not catch up.
    #[track_caller]
    pub fn quiesce(&self) {
        self.stop_writer();
        let behind = "select count(*) from pg_stat_replication \
                      where replay_lsn is distinct from pg_current_wal_lsn()";
        for primary in Node::ALL.into_iter().filter(|node| self.role(*node) == Role::Primary) {
            self.wait_until("the standby has replayed everything", END, || {
                self.try_sql(primary, behind).is_ok_and(|count| count == "0")
            });
        }
    }

    #[track_caller]
    fn server(&self, node: Node) -> Process {
        self.running()
            .node(node)
            .filter(|server| server.is_alive())
            .unwrap_or_else(|| panic!("{node} does not run"))
    }

    /// Kills a tree and waits until all of it is gone.
    #[track_caller]
    fn end(&self, name: &str, process: Process) {
        let children = process.children();
        signal_tree(process, Signal::KILL);
        self.wait_until(&format!("{name} is gone"), END, || {
            !process.is_alive() && !children.iter().any(|child| child.is_alive())
        });
    }
}

#[track_caller]
fn signal_tree(process: Process, signal: Signal) {
    process.signal_tree(signal).expect("one's own servers take signals");
}
