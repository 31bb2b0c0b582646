//! The help text is the manual: all of it is a snapshot.

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;

#[test]
fn the_whole_help() {
    let sandbox = Sandbox::new();
    let commands = [
        "",
        "check",
        "run",
        "drill",
        "resume",
        "status",
        "runs",
        "journal",
        "retry",
        "skip",
        "mark-done",
        "cancel",
        "actions",
        "completions",
        "demo",
    ];
    let pages = commands.map(|command| sandbox.run(&format!("{command} --help")).to_string());
    assert_snapshot!("help", pages.join("\n\n"));
}

#[test]
fn without_a_command_help_is_shown_and_nothing_is_done() {
    let answer = Sandbox::new().run("");
    assert_eq!(answer.code, Some(2));
    assert!(answer.stderr.contains("Usage: lifeboat"), "{answer}");
}

#[test]
fn a_misspelt_command_is_named_with_the_nearest() {
    assert_snapshot!(Sandbox::new().run("resum"), @r#"
    $ lifeboat resum
    exit 2
    -- stderr
    error: unrecognized subcommand 'resum'

      tip: a similar subcommand exists: 'resume'

    Usage: lifeboat [OPTIONS] <COMMAND>

    For more information, try '--help'.
    "#);
}

#[test]
fn shells_can_complete_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let answer = Sandbox::new().run(&format!("completions {shell}"));
        assert_eq!(answer.code, Some(0), "{answer}");
        assert!(answer.stdout.contains("mark-done"), "{shell}");
    }
}
