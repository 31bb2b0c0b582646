//! Homes and journals that are broken.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;
use lifeboat_tests::cli::{Answer, Sandbox};

const ONE: &str = "
runbook: one
steps:
  - { id: a, action: wait.for, with: { duration: 0s } }
  - { id: b, action: command.run, with: { argv: ['false'] } }
";

fn run() -> Sandbox {
    let sandbox = Sandbox::with("one.yaml", ONE);
    assert_eq!(sandbox.run("run one.yaml --yes").code, Some(4));
    sandbox
}

#[test]
fn damage_is_named_by_its_record_and_hides_no_other_run() {
    let sandbox = run();
    let folder = sandbox.only_run();
    let journal = folder.join("journal.jsonl");
    let text = fs::read_to_string(&journal).expect("a journal");
    fs::write(&journal, text.replacen("step_finished", "step_fin1shed", 1)).expect("it can be written");
    for command in ["status", "journal", "journal --verify", "retry b --reason no"] {
        let answer = sandbox.run(command);
        assert_eq!(answer.code, Some(8), "{answer}");
        assert!(answer.stderr.contains("is damaged at record 3"), "{answer}");
        assert!(answer.stdout.is_empty(), "{answer}");
    }
    assert_eq!(sandbox.run("drill one.yaml").code, Some(0));
    assert_eq!(sandbox.run("status").code, Some(0));
    fs::remove_file(folder.join("header.json")).expect("a header");
    let answer = sandbox.run("runs");
    assert_eq!(answer.code, Some(0), "{answer}");
    assert!(answer.stdout.contains("unreadable: "), "{answer}");
}

#[test]
fn a_torn_end_is_cut_and_said() {
    let sandbox = run();
    let journal = sandbox.only_run().join("journal.jsonl");
    let mut text = fs::read(&journal).expect("a journal");
    text.extend_from_slice(b"{\"v\":");
    fs::write(&journal, text).expect("it can be written");
    let answer = sandbox.run("retry b --reason again");
    assert_eq!(answer.code, Some(0), "{answer}");
    assert!(answer.stderr.contains("were not written whole"), "{answer}");
    assert!(sandbox.run("journal").stdout.contains("were not written whole"));
}

#[test]
fn a_journal_that_is_gone_is_damage_and_no_missing_run() {
    type Loss = fn(&Path) -> io::Result<()>;
    let losses: [Loss; 2] = [|journal| fs::remove_file(journal), |journal| fs::write(journal, "")];
    for lose in losses {
        let sandbox = run();
        lose(&sandbox.only_run().join("journal.jsonl")).expect("the journal was there");
        let id = sandbox.only_run().file_name().expect("a name").to_string_lossy().into_owned();
        for command in ["status", "journal", "journal --verify", "resume", "cancel --reason no"] {
            let answer = sandbox.run(&format!("{command} {id}"));
            assert_eq!(answer.code, Some(8), "{answer}");
            assert!(answer.stderr.contains("is damaged at record 1: it is missing or empty"), "{answer}");
            assert!(answer.stderr.contains("hint: nothing was changed"), "{answer}");
        }
        let answer = sandbox.run("runs");
        assert!(answer.stdout.contains("unreadable: "), "{answer}");
    }
}

#[test]
fn an_end_that_the_header_knows_of_and_the_journal_does_not_is_damage() {
    let sandbox = run();
    let journal = sandbox.only_run().join("journal.jsonl");
    let text = fs::read_to_string(&journal).expect("a journal");
    let at = text.rfind("failed").expect("how it ended");
    let flipped = format!("{}F{}", &text[..at], &text[at + 1..]);
    let cut = text.trim_end().rfind('\n').expect("a line before");
    for damaged in [flipped.as_str(), &text[..=cut]] {
        fs::write(&journal, damaged).expect("it can be written");
        let warning = "header says that the run was finished (failed) at ";
        assert!(sandbox.run("status").stderr.contains(warning), "{}", sandbox.run("status"));
        for refused in ["journal --verify", "resume"] {
            let mut words = refused.split(' ').map(OsStr::new).collect::<Vec<_>>();
            let folder = sandbox.only_run();
            words.insert(1, folder.file_name().expect("an id"));
            let answer = sandbox.lifeboat(words).run();
            assert_eq!(answer.code, Some(8), "{answer}");
            assert!(answer.stderr.contains(warning), "{answer}");
        }
        assert_eq!(fs::read_to_string(&journal).expect("a journal"), damaged, "nothing is cut");
        let runs = sandbox.run("runs");
        assert!(
            runs.stdout.contains("failed; warning: the journal does not end as the header says"),
            "{runs}"
        );
        let runs = sandbox.run("runs --json").json_lines();
        assert!(runs[0]["warning"].as_str().is_some_and(|warning| warning.contains("was damaged")));
    }
    // A word that a crash has torn is no damage.
    let text = text + "{\"v\":\"1.0\",\"seq\"";
    fs::write(&journal, text).expect("it can be written");
    assert!(sandbox.run("status").stderr.contains("were not written whole"));
    for command in ["runs", "journal --verify"] {
        let answer = sandbox.run(command).to_string();
        assert!(!answer.contains("header says") && !answer.contains("warning:"), "{answer}");
    }
}

#[test]
fn a_run_in_a_second_folder_goes_on_in_neither_name() {
    let sandbox = run();
    let folder = sandbox.only_run();
    let id = folder.file_name().expect("a name").to_string_lossy().into_owned();
    let other = format!("run_00{}", &id[6..]);
    fs::create_dir(folder.with_file_name(&other)).expect("a second folder");
    for name in ["journal.jsonl", "header.json"] {
        fs::copy(folder.join(name), folder.with_file_name(&other).join(name)).expect("a copy");
    }
    for command in ["status", "resume", "retry b --reason no", "journal --verify"] {
        let words = command.replacen("retry", &format!("retry {other}"), 1);
        let line = if words == command { format!("{command} {other}") } else { words };
        let answer = sandbox.run(&line);
        assert_eq!(answer.code, Some(8), "{answer}");
        assert!(
            answer.stderr.contains(&format!("it is the journal of {id}, and its folder must")),
            "{answer}"
        );
    }
    assert!(sandbox.run("runs").stdout.contains("unreadable: "));
    assert_eq!(sandbox.run(&format!("retry {id} b --reason mended")).code, Some(0));
}

/// A run that was driven for so long that it has checkpoints.
fn long_enough() -> Sandbox {
    let text = "runbook: long\nsteps:\n  - { id: a, action: wait.for, with: { duration: 400ms } }\n";
    let sandbox = Sandbox::with("long.yaml", text);
    assert_eq!(sandbox.run("run long.yaml --yes").code, Some(0));
    assert!(sandbox.only_run().join("checkpoints").is_dir());
    sandbox
}

#[test]
fn checkpoints_are_checked_where_there_is_no_room_for_temporary_files() {
    let sandbox = long_enough();
    let verify = || sandbox.lifeboat(["journal", "--verify"]).env("TMPDIR", sandbox.path("nowhere")).run();
    assert!(verify().stdout.contains("checkpoints: ok"), "{}", verify());
    let mode = fs::metadata(sandbox.only_run().join("checkpoints")).expect("a folder").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn checkpoints_that_cannot_be_copied_are_not_called_bad() {
    let sandbox = long_enough();
    symlink("nowhere", sandbox.only_run().join("checkpoints/lost")).expect("a link");
    let answer = sandbox.run("journal --verify");
    assert!(answer.stdout.contains("checkpoints: could not be checked: cannot copy them to "), "{answer}");
    let report = sandbox.run("journal --verify --json").json_lines().remove(0);
    assert_eq!(report["checkpoints"]["state"], "unchecked");
}

#[test]
fn a_home_that_is_no_folder_starts_nothing() {
    let sandbox = Sandbox::with("one.yaml", ONE);
    sandbox.file("home", "");
    assert_snapshot!(sandbox.run("run one.yaml --yes"), @r#"
    $ lifeboat run one.yaml --yes
    exit 8
    -- stderr
    error: cannot open [SANDBOX]/home
      because: not a directory
    hint: `--home DIR` or LIFEBOAT_HOME names another folder
    "#);
}

#[test]
fn without_a_home_one_must_be_named() {
    let sandbox = Sandbox::with("one.yaml", ONE);
    assert_snapshot!(sandbox.lifeboat(["runs"]).without("LIFEBOAT_HOME").run(), @r#"
    $ lifeboat runs
    exit 2
    -- stderr
    error: there is no home folder to keep runs in
    hint: name one with `--home DIR` or LIFEBOAT_HOME
    "#);
}

#[test]
fn an_empty_home_is_none() {
    let sandbox = Sandbox::new();
    let mut lifeboat = sandbox.lifeboat(["runs"]).env("LIFEBOAT_HOME", "");
    lifeboat = lifeboat.env("XDG_STATE_HOME", sandbox.path("state"));
    let answer = lifeboat.run();
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), "there is no run yet\n"), "{answer}");
}

#[test]
fn commands_to_type_name_the_home_that_was_given() {
    let sandbox = Sandbox::with("one.yaml", ONE);
    let answer = sandbox.lifeboat(["run", "one.yaml", "--yes", "--home", "else where"]).run();
    assert!(answer.stderr.contains("next: lifeboat --home 'else where' retry run_"), "{answer}");
}

#[test]
fn a_log_filter_of_somebody_else_stops_nothing() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.lifeboat(["runs"]).env("RUST_LOG", "a=b=c").run(), @r#"
    $ lifeboat runs
    exit 0
    -- stderr
    warning: `a=b=c` is not a log filter: error parsing level filter: expected one of "off", "error", "warn", "info", "debug", "trace", or a number 0-5
    there is no run yet
    "#);
}

/// The program with files limited to so many KiB, as if the disk were full then.
fn with_little_room(sandbox: &Sandbox, kib: u32, line: &str) -> Answer {
    let lifeboat = sandbox.command();
    let mut shell = Command::new("/bin/bash");
    let script = format!(r#"trap '' XFSZ; ulimit -f {kib}; exec "$@""#);
    shell.args(["-c", &script, "bash"]).arg(lifeboat.get_program()).args(line.split_whitespace());
    shell.env_clear().envs(lifeboat.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.current_dir(sandbox.path("."));
    Answer::new(sandbox, &format!("lifeboat {line}"), &shell.output().expect("bash starts"))
}

/// Twenty steps, whose records take more room than the plan.
fn long() -> String {
    let step = |at| format!("  - {{ id: s{at}, action: wait.for, with: {{ duration: 0s }} }}\n");
    format!("runbook: long\nsteps:\n{}", (0..20).map(step).collect::<String>())
}

#[test]
fn a_run_that_cannot_be_written_down_is_not_started() {
    let sandbox = Sandbox::with("long.yaml", &long());
    assert_snapshot!(with_little_room(&sandbox, 6, "run long.yaml --yes"), @r#"
    $ lifeboat run long.yaml --yes
    exit 8
    -- stderr
    error: cannot append to [SANDBOX]/home/runs/[RUN 1]/journal.jsonl
      because: File too large (os error 27)
    hint: nothing was started; once that is mended, start it again
    "#);
    assert_eq!(sandbox.run("runs").stdout, "");
}

#[test]
fn a_full_disk_stops_a_run_before_the_next_effect_and_room_lets_it_go_on() {
    let sandbox = Sandbox::with("long.yaml", &long());
    let answer = with_little_room(&sandbox, 15, "run long.yaml --yes --json");
    assert_eq!(answer.code, Some(8), "{}", answer.stderr);
    assert!(answer.stderr.contains("error: the run stopped before record "), "{}", answer.stderr);
    assert!(answer.stderr.contains("because: File too large"), "{}", answer.stderr);
    assert!(answer.stderr.contains("` goes on where it stopped"), "{}", answer.stderr);
    let told = |answer: &Answer, kind: &str| {
        let events = answer.json_lines();
        let steps =
            events.iter().filter(|event| event["type"] == kind).map(|event| event["step"].to_string());
        steps.collect::<Vec<_>>()
    };
    let before = told(&answer, "step_finished");
    let rest = sandbox.run("resume --json");
    assert_eq!(rest.code, Some(0), "{}", rest.stderr);
    let after = told(&rest, "step_finished");
    assert!(!before.is_empty() && !after.is_empty());
    assert!(after.iter().all(|step| !before.contains(step)), "a finished step ran again");
}
