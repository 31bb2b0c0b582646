//! What a run is given, checked against every step before the first one starts.

use insta::assert_snapshot;
use lifeboat_tests::cli::Sandbox;

const FAILOVER: &str = "
runbook: failover
inputs:
  old: { type: string }
  front: { type: string }
  wait: { type: duration, default: 0s }
  proxy: { type: string, default: '' }
steps:
  - { id: touch, action: command.run, with: { script: 'touch {{ shell inputs.front }}' } }
  - id: look
    action: postgres.check
    with: { host: '{{ inputs.old }}', expect: down }
  - id: fence
    action: postgres.fence
    with:
      host: '{{ inputs.old }}'
      candidate: { host: db-b }
      paths: ['{{ inputs.front }}']
      down_since: '{{ steps.look.down_since }}'
  - { id: settle, action: wait.for, with: { duration: '{{ inputs.wait }}' } }
  - id: proxied
    when: \"{{ ne inputs.proxy '' }}\"
    action: http.check
    with: { url: '{{ inputs.proxy }}' }
";

#[test]
fn wrong_values_of_inputs_are_refused_before_anything_starts() {
    let sandbox = Sandbox::with("failover.yaml", FAILOVER);
    let inputs = ["-i", "old=db-a", "-i", "front=db front", "-i", "proxy=x"];
    assert_snapshot!(sandbox.lifeboat(["run", "failover.yaml", "--yes"].iter().chain(&inputs)).run(), @r#"
    $ lifeboat run failover.yaml --yes -i old=db-a -i front=db front -i proxy=x
    exit 2
    -- stderr
    error[input_value]: `db front` is not a host: write it as db-a, db-a:5433 or [2001:db8::1]:5433
      --> failover.yaml:18:19
       |
    18 |       paths: ['{{ inputs.front }}']
       |                   ^^^^^^^^^^^^
       |
       = help: the input `front` is `db front`

    error[input_value]: this is not an absolute URL: relative URL without a base
      --> failover.yaml:24:22
       |
    24 |     with: { url: '{{ inputs.proxy }}' }
       |                      ^^^^^^^^^^^^
       |
       = help: the input `proxy` is `x`

    error: 2 problems in failover.yaml with what this run is given; nothing was started
    "#);
    let drill = ["drill", "failover.yaml", "-i", "old=db-a", "-i", "front=db front"];
    let answer = sandbox.lifeboat(drill).run();
    assert_eq!(answer.code, Some(2), "{answer}");
    assert!(answer.stderr.contains("error: 1 problem in failover.yaml"), "{answer}");
    assert!(!sandbox.path("home").join("runs").exists() && !sandbox.path("db front").exists());
}

#[test]
fn what_is_wrong_with_a_secret_does_not_show_it() {
    let text = "
runbook: secret
inputs:
  wait: { type: string }
secrets:
  url: { env: URL }
steps:
  - { id: look, action: http.check, with: { url: '{{ secrets.url }}', timeout: '{{ inputs.wait }}' } }
  - { id: port, action: postgres.query, with: { host: '{{ secrets.url }}', sql: select 1 } }
";
    let sandbox = Sandbox::with("secret.yaml", text);
    let run = |url: &str, wait: &str| {
        let wait = format!("wait={wait}");
        sandbox.lifeboat(["run", "secret.yaml", "-i", wait.as_str(), "--yes"]).env("URL", url).run()
    };
    assert_snapshot!(run("tcp://sesame-4711", "1s"), @r#"
    $ lifeboat run secret.yaml -i wait=1s --yes
    exit 3
    -- stderr
    error[parameter]: this does not fit; what is wrong is not shown, since a secret is part of it
     --> secret.yaml:8:50
      |
    8 |   - { id: look, action: http.check, with: { url: '{{ secrets.url }}', timeout: '{{ inputs.wait }}' } }
      |                                                  ^^^^^^^^^^^^^^^^^^^
      |
      = help: the secret `url` is used

    error[parameter]: this does not fit; what is wrong is not shown, since a secret is part of it
     --> secret.yaml:9:55
      |
    9 |   - { id: port, action: postgres.query, with: { host: '{{ secrets.url }}', sql: select 1 } }
      |                                                       ^^^^^^^^^^^^^^^^^^^
      |
      = help: the secret `url` is used

    error: 2 problems in secret.yaml with what this run is given; nothing was started
    "#);
    let answer = run("db:sesame-4711", "soon");
    assert_eq!(answer.code, Some(2), "{answer}");
    assert!(answer.stderr.contains("`soon` is not a duration"), "{answer}");
    assert!(!answer.stderr.contains("sesame"), "{answer}");
}

#[test]
fn values_are_checked_as_the_action_takes_them() {
    let text = "
runbook: typed
inputs:
  times: { type: integer }
  words: { type: list }
  braces: { type: string }
  succeed: { type: boolean, default: true }
steps:
  - { id: script, action: command.run, with: { script: '{{ inputs.succeed }}' } }
  - { id: say, action: command.run, with: { argv: [echo, '{{ inputs.times }}', '{{ inputs.braces }}'] } }
  - { id: list, action: command.run, with: { argv: '{{ inputs.words }}' } }
";
    let sandbox = Sandbox::with("typed.yaml", text);
    let run = |words: &str| {
        let words = format!("words={words}");
        let inputs = ["-i", "times=3", "-i", "braces={{ x }}", "-i", words.as_str()];
        sandbox.lifeboat(["run", "typed.yaml", "--yes"].iter().chain(&inputs)).run()
    };
    assert_eq!(run("echo,a").code, Some(0));
    let answer = run("");
    assert_eq!(answer.code, Some(2), "{answer}");
    assert!(answer.stderr.contains("the input `words` is `[]`"), "{answer}");
}
