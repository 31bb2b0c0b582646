//! The five acts: a steady state, a disaster, a rehearsal, a run that is killed, and its resumption with the proofs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::customer::{Customer, Ledger};
use crate::history::History;
use crate::lifeboat::{Lifeboat, Running};
use crate::proof::{Evidence, proofs};
use crate::scene::{Folder, Scene};
use crate::screen::Screen;
use crate::timeline::timeline;
use crate::trouble::Trouble;
use crate::watch::Watch;

/// The runbook, as it lies in `runbooks/`.
const RUNBOOK: &str = include_str!("../../../runbooks/demo-region-failover.yaml");
const FILE: &str = "demo-region-failover.yaml";

/// How long anything here may take before the tour gives up: far more than it needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Gives the tour. Says whether every proof held.
///
/// With `keep`, the folder with the journal and the service's logs stays and is named.
///
/// # Errors
/// When something could not be brought up or did not happen, or on Ctrl-C. Nothing is left running then.
pub fn tour(keep: bool) -> Result<bool, Trouble> {
    let watch = Watch::new()?;
    let mut folder = Folder::new()?;
    if keep {
        folder.keep();
    }
    let mut tour = Tour::new(watch, Scene::bring_up(folder)?)?;
    tour.steady_state()?;
    tour.disaster()?;
    let rehearsed = tour.rehearse()?;
    let killed = tour.run_and_kill()?;
    tour.nobody_drives()?;
    let resumed = tour.resume()?;
    let holds = tour.prove(rehearsed, &killed, resumed)?;
    tour.farewell(keep)?;
    Ok(holds)
}

struct Tour {
    watch: Watch,
    screen: Screen,
    lifeboat: Lifeboat,
    // Before the scene: it stops writing before there is nobody left to write to.
    customer: Customer,
    scene: Scene,
}

/// What is known about the driver that was killed.
#[derive(Debug)]
struct Killed {
    pid: u32,
    at: Timestamp,
    /// The journal as it left it.
    journal: History,
}

impl Tour {
    fn new(watch: Watch, scene: Scene) -> Result<Self, Trouble> {
        let lifeboat = Lifeboat::new(&scene.home);
        let file = scene.folder.path().join(FILE);
        fs::write(&file, RUNBOOK).map_err(Trouble::about(file.display()))?;
        let customer = Customer::start(scene.front.address);
        Ok(Self { watch, screen: Screen::new(), lifeboat, customer, scene })
    }

    fn steady_state(&mut self) -> Result<(), Trouble> {
        self.screen.heading("1. A service in two regions")?;
        self.screen.say(
            "A front sends customers to region east, the primary. Region west holds a copy, always a little behind. \
             All of it runs on this machine:",
        )?;
        let Scene { east, west, front, .. } = &self.scene;
        for (name, process, what) in
            [("front", front, "active: east"), ("east", east, "primary"), ("west", west, "standby")]
        {
            let (address, pid) = (process.address, process.pid());
            self.screen.row(&format!("  {name:<6} http://{address:<21}  process {pid:<8} {what}"))?;
        }
        let some = self.customer_who("writes rows", |ledger, west| ledger.acked >= 50 && west >= 25)?;
        self.screen
            .say(&format!("A customer writes numbered rows: {} acknowledged by {}.", some.acked, some.by))
    }

    fn disaster(&mut self) -> Result<(), Trouble> {
        self.screen.heading("2. Region east dies")?;
        let pid = self.scene.east.pid();
        self.screen.command(&[format!("kill -9 {pid}")])?;
        self.scene.east.kill().map_err(Trouble::about("kill"))?;
        let before = self.customer.ledger().refusals;
        let stuck = self.customer_who("is refused", |ledger, _| ledger.refusals > before)?;
        self.screen.say(&format!("Customers are stuck: row {} is refused, again and again.", stuck.acked + 1))
    }

    /// Rehearses the runbook; says whether the service is as it was.
    fn rehearse(&mut self) -> Result<bool, Trouble> {
        self.screen.heading("3. The runbook is rehearsed: it looks, and changes nothing")?;
        self.screen.say(&format!(
            "The runbook is runbooks/{FILE}, shipped with Lifeboat. Its dry run ends with this table:"
        ))?;
        let before = self.fingerprint()?;
        let args = self.command("drill", &[])?;
        let (text, code) = self.lifeboat.ask(self.scene.folder.path(), &args)?;
        if code != Some(0) {
            return Err(Trouble::failed(format!("the rehearsal ended with {code:?}:\n{text}")));
        }
        // The table stands last, below the events and the summary.
        let table: Vec<_> = text.trim_end().rsplit("\n\n").take(1).flat_map(str::lines).collect();
        table.iter().try_for_each(|line| self.screen.printed(&self.scene.with_names(line)))?;
        Ok(before == self.fingerprint()?)
    }

    fn run_and_kill(&mut self) -> Result<Killed, Trouble> {
        self.screen.heading("4. It runs, and Lifeboat is killed in the middle of it")?;
        let args = self.command("run", &["--yes"])?;
        let mut run = self.lifeboat.start(self.scene.folder.path(), &args)?;
        self.until_in_the_middle(&mut run)?;
        let (pid, at) = (run.pid(), Timestamp::now());
        run.kill()?;
        self.show(&run.last_lines())?;
        self.screen.command(&[format!("kill -9 {pid}")])?;
        self.screen.say(
            "Gone, without a word. Two steps were in flight: west was being promoted, and a script was rebuilding its \
             search index.",
        )?;
        let journal = self.journal()?;
        Ok(Killed { pid, at, journal })
    }

    /// Shows a command on the runbook as a person would type it, and gives its arguments.
    fn command(&mut self, name: &str, options: &[&str]) -> Result<Vec<String>, Trouble> {
        let (west, front) = (&self.scene.west, &self.scene.front);
        let inputs = [
            format!("front=http://{}", front.address),
            format!("west=http://{}", west.address),
            format!("west_data={}", west.folder.display()),
        ];
        let start: Vec<_> = [name, FILE].iter().chain(options).map(|word| (*word).to_owned()).collect();
        let lines = inputs.iter().map(|input| format!("-i {input}"));
        let lines: Vec<_> = std::iter::once(format!("lifeboat {}", start.join(" "))).chain(lines).collect();
        self.screen.command(&lines)?;
        let inputs = inputs.into_iter().flat_map(|input| ["-i".to_owned(), input]);
        Ok(start.into_iter().chain(inputs).collect())
    }

    /// Everything about the service that a run of the runbook would change.
    fn fingerprint(&self) -> Result<String, Trouble> {
        let Scene { west, front, .. } = &self.scene;
        let health = west.ask("GET /health").ok_or_else(|| Trouble::failed("west does not answer"))?;
        let logs = [west.audit(), front.audit(), index_log(&west.folder)];
        Ok(format!("{health} {logs:?}"))
    }

    /// Shows what the driver prints until the promotion and the script are both going on.
    fn until_in_the_middle(&mut self, run: &mut Running) -> Result<(), Trouble> {
        let Self { watch, screen, scene, .. } = self;
        watch.until("a promotion and a script in flight", PATIENCE, || {
            run.lines().iter().try_for_each(|line| screen.printed(line))?;
            if let Some(status) = run.ended()? {
                run.last_lines().iter().try_for_each(|line| screen.printed(line))?;
                return Err(Trouble::failed(format!("the run ended before it could be killed: {status}")));
            }
            let role = scene.west.ask("GET /role");
            let promoting = role.is_some_and(|role| role["role"] == "promoting");
            Ok((promoting && !index_log(&scene.west.folder).is_empty()).then_some(()))
        })
    }

    fn nobody_drives(&mut self) -> Result<(), Trouble> {
        let Self { watch, scene, .. } = self;
        watch.until("west is primary", PATIENCE, || {
            let role = scene.west.ask("GET /role");
            Ok(role.filter(|role| role["role"] == "primary").map(drop))
        })?;
        let shards = index_log(&scene.west.folder).len();
        self.screen.say(&format!(
            "Nobody drives now, yet the world went on: west has become primary, and the script, under its own \
             supervisor, has built {shards} of {} shards. Whoever started over now would start a second script beside \
             the first.",
            crate::service::SHARDS
        ))
    }

    fn resume(&mut self) -> Result<ExitStatus, Trouble> {
        self.screen.heading("5. The same run goes on")?;
        self.screen.command(&["lifeboat resume".to_owned()])?;
        let mut resume = self.lifeboat.start(self.scene.folder.path(), &["resume".to_owned()])?;
        let Self { watch, screen, .. } = self;
        let status = watch.until("the resumed run ends", PATIENCE, || {
            resume.lines().iter().try_for_each(|line| screen.printed(line))?;
            resume.ended()
        })?;
        self.show(&resume.last_lines())?;
        Ok(status)
    }

    fn prove(&mut self, rehearsed: bool, killed: &Killed, resumed: ExitStatus) -> Result<bool, Trouble> {
        self.customer_who("writes again", |ledger, _| ledger.by == "west")?;
        let after = self.journal()?;
        self.screen.heading("What happened, from the journal")?;
        for line in timeline(&after, (killed.pid, killed.at)) {
            self.screen.row(&self.scene.with_names(&line))?;
        }
        self.screen.heading("What was not repeated, and what was not lost")?;
        let (_, verified) = self.ask(&["journal", "--verify"])?;
        // The ledger before the rows: every row that was acknowledged until now must be there.
        let customer = self.customer.ledger();
        let evidence = Evidence {
            rehearsed,
            before: &killed.journal,
            after: &after,
            exit_code: resumed.code(),
            verified,
            west: &self.scene.west.audit(),
            front: &self.scene.front.audit(),
            index: &index_log(&self.scene.west.folder),
            rows: &rows(self.scene.west.ask("GET /health").as_ref()),
            customer: &customer,
        };
        let mut all = true;
        for proof in proofs(&evidence) {
            all &= proof.holds;
            self.screen.proof(proof.holds, &self.scene.with_names(&proof.claim))?;
        }
        Ok(all)
    }

    /// Ends everything and says what to do next.
    fn farewell(mut self, keep: bool) -> Result<(), Trouble> {
        self.scene.end().map_err(Trouble::about("ending the scene"))?;
        self.screen.heading("What to do next")?;
        if keep {
            let home = self.scene.home.display().to_string();
            self.screen.say(&format!("Everything was kept in {}:", self.scene.folder.path().display()))?;
            self.screen.command(&[format!("lifeboat journal --home {home}")])?;
        } else {
            self.screen.row("lifeboat demo --keep         the same, and keep the journal to look at")?;
        }
        self.screen.row("lifeboat actions             what a runbook can do")?;
        self.screen.row("lifeboat check FILE          find every mistake in a runbook")?;
        self.screen.row("lifeboat drill FILE          rehearse it: looks, shows, changes nothing")
    }

    fn show(&mut self, lines: &[String]) -> Result<(), Trouble> {
        lines.iter().try_for_each(|line| self.screen.printed(line))
    }

    fn ask(&self, args: &[&str]) -> Result<(String, Option<i32>), Trouble> {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        self.lifeboat.ask(self.scene.folder.path(), &args)
    }

    fn journal(&self) -> Result<History, Trouble> {
        let (text, code) = self.ask(&["journal"])?;
        match code {
            Some(0) => History::read(&text),
            code => Err(Trouble::failed(format!("`lifeboat journal` ended with {code:?}"))),
        }
    }

    /// Waits until the customer's ledger and the number of rows in west are as wanted.
    fn customer_who(&self, does: &str, wanted: impl Fn(&Ledger, usize) -> bool) -> Result<Ledger, Trouble> {
        self.watch.until(&format!("the customer {does}"), PATIENCE, || {
            let ledger = self.customer.ledger();
            let rows = rows(self.scene.west.ask("GET /health").as_ref()).len();
            Ok(wanted(&ledger, rows).then_some(ledger))
        })
    }
}

/// The rows in a region's answer about its health.
fn rows(health: Option<&Value>) -> BTreeSet<u64> {
    let rows = health.and_then(|health| health["rows"].as_array());
    rows.into_iter().flatten().filter_map(Value::as_u64).collect()
}

/// What the script of `rebuild-index` wrote about itself.
fn index_log(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("index.log")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
