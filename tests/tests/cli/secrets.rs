//! Secrets: looked up before anything starts, and never at rest.

use insta::assert_snapshot;
use lifeboat_tests::cli::{Sandbox, nowhere_below};

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
           secret `password`: cannot read the file password.txt: No such file or directory (os error 2)
    hint: nothing was started
    "#);
    assert!(!sandbox.path("home").exists());
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
