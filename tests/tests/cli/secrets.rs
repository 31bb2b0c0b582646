//! Secrets: looked up before anything starts, and never at rest.

use insta::assert_snapshot;
use lifeboat_tests::cli::{Sandbox, nowhere_below};
use rustix::fs::{CWD, Mode, mkfifoat};

const SECRET: &str = "
runbook: secret
secrets:
  token: { env: TOKEN }
  password: { file: password.txt }
steps:
  - id: use
    action: command.run
    with: { script: 'test $TOKEN = $PASSWORD; exit 3', env: { TOKEN: '{{ secrets.token }}', PASSWORD: '{{ secrets.password }}' } }
";

#[test]
fn what_is_missing_is_named_before_anything_starts() {
    let sandbox = Sandbox::with("secret.yaml", SECRET);
    assert_snapshot!(sandbox.lifeboat(["run", "secret.yaml", "--yes"]).env("TOKEN", "").run(), @r#"
    $ lifeboat run secret.yaml --yes
    exit 3
    -- stderr
    error: secret `token`: the environment variable TOKEN is empty
           secret `password`: cannot read the file [SANDBOX]/password.txt: No such file or directory (os error 2)
    hint: nothing was started
    "#);
    assert!(!sandbox.path("home").exists());
}

#[test]
fn a_secrets_file_without_end_is_not_read() {
    let sandbox = Sandbox::with("endless.yaml", &SECRET.replace("{ env: TOKEN }", "{ file: /dev/zero }"));
    mkfifoat(CWD, sandbox.path("password.txt"), Mode::RUSR | Mode::WUSR).expect("a pipe can be made");
    assert_snapshot!(sandbox.run("run endless.yaml --yes"), @r#"
    $ lifeboat run endless.yaml --yes
    exit 3
    -- stderr
    error: secret `token`: /dev/zero is no regular file: keep the secret in one, or in an environment variable
           secret `password`: [SANDBOX]/password.txt is no regular file: keep the secret in one, or in an environment variable
    hint: nothing was started
    "#);
    std::fs::remove_file(sandbox.path("password.txt")).expect("the pipe is there");
    sandbox.file("password.txt", "x".repeat(1024 * 1024 + 1));
    let answer = sandbox.run("run endless.yaml --yes");
    let why = "password.txt is larger than 1024 KiB: is it the file of the secret?";
    assert!(answer.stderr.contains(why), "{answer}");
    assert_eq!(answer.code, Some(3), "{answer}");
}

#[test]
fn no_secret_is_kept() {
    let sandbox = Sandbox::with("secret.yaml", SECRET);
    sandbox.file("password.txt", "sesame-4711\n");
    let answer = sandbox.lifeboat(["run", "secret.yaml", "--yes"]).env("TOKEN", "t0k3n-0815").run();
    assert_eq!(answer.code, Some(4), "{answer}");
    for secret in ["sesame-4711", "t0k3n-0815"] {
        assert!(nowhere_below(&sandbox.path("home"), secret), "{secret} is in a file");
    }
    // They are looked up anew on resume.
    assert_eq!(sandbox.run("retry --reason again").code, Some(0));
    assert_eq!(sandbox.run("resume").code, Some(3));
    assert_eq!(sandbox.lifeboat(["resume"]).env("TOKEN", "t0k3n-0815").run().code, Some(4));
}

#[test]
fn a_secret_that_a_command_prints_is_masked() {
    let sandbox = Sandbox::with("secret.yaml", &SECRET.replace("test $TOKEN =", "echo $TOKEN"));
    sandbox.file("password.txt", "sesame-4711\n");
    let answer = sandbox.lifeboat(["run", "secret.yaml", "--yes"]).env("TOKEN", "t0k3n-0815").run();
    assert!(answer.stdout.contains("‹secret› ‹secret›"), "{answer}");
    for text in [&answer.stdout, &answer.stderr, &sandbox.run("journal").stdout] {
        assert!(!text.contains("sesame-4711") && !text.contains("t0k3n-0815"), "{answer}");
    }
}

#[test]
fn a_secret_that_is_part_of_a_name_leaves_the_name_alone() {
    let text = "
runbook: short
secrets:
  token: { env: TOKEN }
steps:
  - { id: look, action: command.run, with: { argv: [echo, '{\"data\": 1}'] } }
  - { id: use, action: command.run, with: { argv: [echo, 'cut={{ steps.look.stdout_truncated }}'] } }
  - { id: fail, action: command.run, with: { script: 'exit 1', env: { T: '{{ secrets.token }}' } } }
  - { id: last, action: command.run, with: { argv: [echo, 'said={{ steps.fail.stdout_truncated }}'] } }
";
    let sandbox = Sandbox::with("short.yaml", text);
    let lifeboat = |line: &str| sandbox.lifeboat(line.split(' ')).env("TOKEN", "a").run();
    let answer = lifeboat("run short.yaml --yes --json");
    assert_eq!(answer.code, Some(4), "{answer}");
    let outputs: Vec<_> = answer.json_lines().into_iter().map(|event| event["outputs"].clone()).collect();
    assert!(outputs.iter().any(|outputs| outputs["json"]["d‹secret›t‹secret›"] == 1), "{answer}");
    assert!(outputs.iter().any(|outputs| outputs["stdout"] == "cut=f‹secret›lse"), "{answer}");
    let answer = lifeboat("mark-done -o stdout_truncated=true --reason x");
    assert_eq!(answer.code, Some(0), "{answer}");
    let answer = lifeboat("resume --json");
    assert!(answer.stdout.contains("s‹secret›id=true"), "{answer}");
}

/// A step that uses a secret and fails.
fn failed() -> Sandbox {
    let sandbox = Sandbox::with("secret.yaml", SECRET);
    sandbox.file("password.txt", "sesame-4711\n");
    let answer = sandbox.lifeboat(["run", "secret.yaml", "--yes"]).env("TOKEN", "t0k3n-0815").run();
    assert_eq!(answer.code, Some(4), "{answer}");
    sandbox
}

#[test]
fn a_secret_in_a_persons_word_is_masked() {
    let word = ["--reason", "logged in with t0k3n-0815 and sesame-4711"];
    let output = ["-o", "stdout=sesame-4711", "-o", r#"stderr={"said": ["t0k3n-0815"]}"#];
    let calls: [Vec<&str>; 4] =
        [vec!["retry"], vec!["skip"], [&["mark-done"], &output[..]].concat(), vec!["cancel"]];
    for call in calls {
        let sandbox = failed();
        if call == ["cancel"] {
            assert_eq!(sandbox.run("retry --reason again").code, Some(0));
        }
        let typed = call.iter().chain(&word);
        let answer = sandbox.lifeboat(typed).env("TOKEN", "t0k3n-0815").run();
        assert!(matches!(answer.code, Some(0 | 12)), "{answer}");
        let journal = sandbox.run("journal").stdout;
        assert!(journal.contains("logged in with ‹secret› and ‹secret›"), "{journal}");
        for secret in ["sesame-4711", "t0k3n-0815"] {
            assert!(nowhere_below(&sandbox.path("home"), secret), "{call:?}: {secret} is in a file");
            assert!(!answer.stdout.contains(secret) && !answer.stderr.contains(secret), "{answer}");
        }
    }
}

#[test]
fn a_persons_word_needs_no_secret() {
    let sandbox = failed();
    std::fs::remove_file(sandbox.path("password.txt")).unwrap();
    let answer =
        sandbox.lifeboat(["retry", "--reason", "the token is t0k3n-0815"]).env("TOKEN", "t0k3n-0815");
    assert_eq!(answer.run().code, Some(0));
    assert!(nowhere_below(&sandbox.path("home"), "t0k3n-0815"), "what can be looked up is masked");
}

#[test]
fn a_run_is_cancelled_without_its_secrets() {
    let uses = |id: &str| {
        format!(
            "  - {{ id: {id}, action: command.run, with: {{ script: 'exit 0', env: {{ T: '{{{{ secrets.token }}}}' }} }} }}\n"
        )
    };
    let text = format!(
        "runbook: kept\nsecrets: {{ token: {{ env: TOKEN }} }}\nsteps:\n{}  - {{ id: odd, action: command.run, with: {{ script: 'kill -9 $PPID; kill -9 $$', env: {{ T: '{{{{ secrets.token }}}}' }} }} }}\nfinally:\n{}  - {{ id: last, action: command.run, with: {{ script: 'echo last >> done' }} }}\n",
        uses("first"),
        uses("close"),
    );
    let sandbox = Sandbox::with("kept.yaml", &text);
    let answer = sandbox.lifeboat(["run", "kept.yaml", "--yes"]).env("TOKEN", "t0k3n-0815").run();
    assert_eq!(answer.code, Some(6), "{answer}");
    let answer = sandbox.run("cancel --reason over");
    assert_eq!(answer.code, Some(12), "{answer}");
    let warning = "warning: secret `token`: the environment variable TOKEN is not set; what uses it fails";
    assert!(answer.stderr.contains(warning), "{answer}");
    assert!(answer.stdout.contains("deviation: close failed, and the run went on"), "{answer}");
    assert_eq!(std::fs::read_to_string(sandbox.path("done")).expect("the last step ran"), "last\n");
}

/// A run with a step in doubt that printed both of its secrets.
fn in_doubt() -> Sandbox {
    let prints =
        SECRET.replace("test $TOKEN = $PASSWORD; exit 3", "echo $TOKEN $PASSWORD; kill -9 $PPID; kill -9 $$");
    let sandbox = Sandbox::with("secret.yaml", &prints);
    sandbox.file("password.txt", "sesame-4711\n");
    let answer = sandbox.lifeboat(["run", "secret.yaml", "--yes"]).env("TOKEN", "t0k3n-0815").run();
    assert_eq!(answer.code, Some(6), "{answer}");
    assert!(answer.stdout.contains("  | ‹secret› ‹secret›\n"), "{answer}");
    sandbox
}

#[test]
fn what_a_step_in_doubt_printed_is_masked_from_wherever_it_is_looked_at() {
    let sandbox = in_doubt();
    let answer = sandbox.lifeboat(["status"]).env("TOKEN", "t0k3n-0815").within("/").run();
    assert!(answer.stdout.contains("  | ‹secret› ‹secret›\n"), "{answer}");
}

#[test]
fn what_a_step_in_doubt_printed_is_not_shown_while_a_secret_is_not_at_hand() {
    let sandbox = in_doubt();
    let stdout = sandbox.only_run().join("steps/use/1/stdout");
    let instead =
        |why: &str| format!("  not shown, for a secret may be in it: {} (secret {why})\n", stdout.display());
    let unset = instead("`token`: the environment variable TOKEN is not set");
    let status = sandbox.run("status").stdout;
    assert!(status.contains(&unset) && !status.contains("  | "), "{status}");

    let password = sandbox.path("password.txt");
    std::fs::remove_file(&password).unwrap();
    let why = format!("`password`: cannot read the file {}: ", password.display());
    let status = sandbox.lifeboat(["status"]).env("TOKEN", "t0k3n-0815").run().stdout;
    assert!(status.contains(&why) && !status.contains("  | "), "{status}");

    let cancelled = sandbox.run("cancel --reason over").stdout;
    assert!(cancelled.contains("  not shown, ") && !cancelled.contains("  | "), "{cancelled}");
}
