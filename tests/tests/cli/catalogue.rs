//! `lifeboat actions`

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;

#[test]
fn an_action_is_described() {
    assert_snapshot!(Sandbox::new().run("actions wait.for"), @r#"
    $ lifeboat actions wait.for
    exit 0
    -- stdout
    wait.for: Lets some time pass

      looks only
      can look for its own effect: it is rehearsed, and looked at when in doubt
      may be repeated
      keeps no trace of an attempt whose driver died

    Parameters
      duration  string, required
          How long to wait, such as `30s`, `5m` or `1h 30m`, counted from the start of the attempt: a wait that was interrupted does not start over. `0s` ends at once.
    "#);
}

#[test]
fn a_family_is_listed() {
    assert_snapshot!(Sandbox::new().run("actions wait"), @r#"
    $ lifeboat actions wait
    exit 0
    -- stdout
    ACTION      EFFECT  WHAT IT DOES
    wait.for    looks   Lets some time pass
    wait.until  looks   Waits for a moment
    "#);
}

#[test]
fn a_misspelt_action_is_named_with_the_nearest() {
    assert_snapshot!(Sandbox::new().run("actions postgres.promot"), @r#"
    $ lifeboat actions postgres.promot
    exit 2
    -- stderr
    error: there is no action `postgres.promot`
    hint: did you mean `postgres.promote`?
    "#);
}

#[test]
fn programs_get_the_schemas_of_every_action() {
    let actions = Sandbox::new().run("actions --json").json_lines();
    let names: Vec<_> = actions.iter().filter_map(|action| action["name"].as_str()).collect();
    assert!(names.is_sorted(), "{names:?}");
    for action in &actions {
        assert_eq!(action["params"]["type"], "object", "{action}");
        assert!(action["params"]["properties"].is_object(), "{action}");
    }
    assert!(names.contains(&"command.run") && names.contains(&"postgres.promote"), "{names:?}");
}
