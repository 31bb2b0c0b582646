//! What a command yields when nothing goes wrong outside of it.

use lifeboat_action::{Catalog, Effect, FailureKind, Observation, Recovery, Registry};
use serde_json::{Value, json};

use crate::support::{Bench, is_alive, kill, told};

#[tokio::test]
async fn a_command_that_succeeds_yields_what_it_printed() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    let outcome = attempt.apply(json!({"argv": ["printf", "a\\nb\\n"]})).await.unwrap();
    assert_eq!(outcome.evidence, "exited with 0");
    assert_eq!(
        Value::from(outcome.outputs),
        json!({
            "exit_code": 0, "stdout": "a\nb", "stdout_truncated": false,
            "stderr": "", "stderr_truncated": false, "json": null,
        })
    );
    assert_eq!(outcome.warnings, Vec::<String>::new());
    let trace = attempt.trace();
    assert_eq!(trace.len(), 4, "{trace:?}");
    assert_eq!(trace[0]["opened"]["boot"], json!(crate::support::boot_id()));
    assert_eq!(trace[3]["ended"]["status"], json!({"code": 0}));
}

#[tokio::test]
async fn a_script_runs_in_the_shell() {
    let outcome = Bench::new().attempt("step").apply(json!({"script": "echo $((6 * 7)) >&2"})).await.unwrap();
    assert_eq!(outcome.outputs["stderr"], json!("42"));
}

#[tokio::test]
async fn json_on_stdout_becomes_an_output() {
    let script = r#"echo '{"lag": 3, "hosts": ["a"]}'"#;
    let outcome = Bench::new().attempt("step").apply(json!({"script": script})).await.unwrap();
    assert_eq!(outcome.outputs["json"], json!({"lag": 3, "hosts": ["a"]}));
}

#[tokio::test]
async fn the_codes_that_mean_success_are_the_authors() {
    let bench = Bench::new();
    let params = json!({"script": "exit 3", "exit_codes": [0, 3]});
    assert_eq!(bench.attempt("accepted").apply(params).await.unwrap().outputs["exit_code"], json!(3));

    let script = "seq 1 30; echo why >&2; exit 3";
    let failure = bench.attempt("refused").apply(json!({"script": script})).await.unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Transient, "exited with 3"));
    assert_eq!(failure.tail.as_deref(), Some("why"));

    let failure = bench.attempt("quiet").apply(json!({"script": "seq 1 30; exit 1"})).await.unwrap_err();
    let last_twenty: Vec<_> = (11..=30).map(|line| line.to_string()).collect();
    assert_eq!(failure.tail, Some(last_twenty.join("\n")), "stdout, where stderr is empty");
}

#[tokio::test]
async fn environment_and_folder_are_the_commands() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    let script = r#"echo "$GREETING $LIFEBOAT_STEP $LIFEBOAT_ATTEMPT $LIFEBOAT_LOOK $LIFEBOAT_MODE $LIFEBOAT_KEY"; pwd -P; test -n "$PATH""#;
    let params = json!({"script": script, "env": {"GREETING": "hello"}, "cwd": "/proc"});
    let outcome = attempt.apply(params).await.unwrap();
    let key = format!("{}/step#1", bench.run());
    assert_eq!(outcome.outputs["stdout"], json!(format!("hello step 1 0 live {key}\n/proc")));
}

#[tokio::test]
async fn a_command_has_no_input_and_no_terminal() {
    let script = "cat; if (: < /dev/tty) 2>/dev/null; then echo terminal; fi";
    let outcome = Bench::new().attempt("step").apply(json!({"script": script})).await.unwrap();
    assert_eq!(outcome.outputs["stdout"], json!(""));
}

#[tokio::test]
async fn output_that_is_not_utf8_is_kept_in_the_file_and_replaced_in_the_output() {
    let attempt = Bench::new().attempt("step");
    let outcome = attempt.apply(json!({"script": r"printf 'a\377b'"})).await.unwrap();
    assert_eq!(outcome.outputs["stdout"], json!("a\u{fffd}b"));
}

#[tokio::test]
async fn much_output_is_cut_in_the_output_and_whole_in_the_file() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    let script = "head -c 3000000 /dev/zero | tr '\\0' x; echo end";
    let outcome = attempt.apply(json!({"script": script})).await.unwrap();
    let stdout = outcome.outputs["stdout"].as_str().unwrap();
    assert!(stdout.len() <= 64 * 1024 && stdout.ends_with("xend"));
    assert_eq!(outcome.outputs["stdout_truncated"], json!(true));
    assert_eq!(std::fs::metadata(attempt.folder().join("stdout")).unwrap().len(), 3_000_004);
}

#[tokio::test]
async fn a_home_may_have_any_name() {
    use std::os::unix::ffi::OsStringExt;
    let bench = Bench::new();
    let mut attempt = bench.attempt("step");
    let name = std::ffi::OsString::from_vec(b"caf\xe9".to_vec());
    attempt.info.folder = bench.path("homes").join(name).join("steps/step/1");
    let params = json!({"argv": ["echo", "here"]});
    assert_eq!(attempt.apply(params.clone()).await.unwrap().outputs["stdout"], json!("here"));
    let found = attempt.recover(params).await;
    assert!(
        matches!(&found, Recovery::Ended { result: Ok(outcome), .. } if outcome.outputs["stdout"] == "here")
    );
}

#[tokio::test]
async fn what_is_too_long_for_the_system_is_refused_and_hurts_nobody() {
    let bench = Bench::new();
    let long = "x".repeat(10_000_000);
    for params in [json!({"argv": ["true"], "env": {"LONG": long}}), json!({"script": format!(": {long}")})] {
        let attempt = bench.attempt(&format!("step-{}", params.as_object().unwrap().len()));
        let failure = attempt.apply(params).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Permanent);
        assert!(
            failure.message.ends_with("could not be started: Argument list too long (os error 7)"),
            "{failure}"
        );
    }
    assert!(bench.attempt("next").apply(json!({"argv": ["true"]})).await.is_ok());
}

#[tokio::test]
async fn what_cannot_be_started_fails_for_good_and_says_why() {
    let bench = Bench::new();
    let fails = async |step: &str, params: Value| bench.attempt(step).apply(params).await.unwrap_err();

    let failure = fails("absent", json!({"argv": ["/no/such/program"]})).await;
    assert_eq!(failure.kind, FailureKind::Permanent);
    assert_eq!(
        failure.message,
        "`/no/such/program` could not be started: No such file or directory (os error 2)"
    );

    let failure = fails("folder", json!({"argv": ["/etc/passwd"]})).await;
    assert_eq!(failure.kind, FailureKind::Permanent);
    assert_eq!(failure.message, "`/etc/passwd` could not be started: Permission denied (os error 13)");

    let failure = fails("cwd", json!({"argv": ["true"], "cwd": "/no/such/folder"})).await;
    assert_eq!(failure.kind, FailureKind::Permanent);
    assert_eq!(failure.message, "its working folder `/no/such/folder` is not there");
}

#[tokio::test]
async fn a_signal_from_elsewhere_leaves_the_effect_unknown() {
    let failure = Bench::new().attempt("step").apply(json!({"script": "kill -KILL $$"})).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert_eq!(failure.message, "it was killed by SIGKILL, not by lifeboat");
}

#[tokio::test]
async fn a_daemon_left_by_a_command_that_succeeded_is_left_alone() {
    let bench = Bench::new();
    let script = "setsid sleep 1000 < /dev/null > /dev/null 2>&1 & echo $!";
    let outcome = bench.attempt("step").apply(json!({"script": script})).await.unwrap();
    let daemon = outcome.outputs["json"].as_i64().unwrap().try_into().unwrap();
    assert!(is_alive(daemon));
    kill(daemon);
}

#[tokio::test]
async fn an_attempt_runs_once() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    let params = json!({"script": format!("echo x >> {}", bench.path("marker").display())});
    attempt.apply(params.clone()).await.unwrap();
    let failure = attempt.apply(params).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unknown);
    assert!(failure.message.contains("another process has decided what becomes of the attempt"), "{failure}");
    assert_eq!(std::fs::read_to_string(bench.path("marker")).unwrap(), "x\n");
}

#[tokio::test]
async fn a_command_cannot_observe_unless_it_only_reads() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    let marker = bench.path("marker");
    let params = json!({"argv": ["touch", marker]});
    assert_eq!(bench.action().effect(&params), Effect::Write);
    let Observation::Unknown { why } = attempt.observe(params).await else { panic!("it claims to know") };
    assert!(why.contains("`check:`") && !marker.exists(), "{why}");

    let looks = |code: u8| json!({"script": format!("echo seen; exit {code}"), "read_only": true});
    assert_eq!(bench.action().effect(&looks(0)), Effect::Read);
    for _ in 0..2 {
        let Observation::InPlace { outputs, .. } = attempt.observe(looks(0)).await else {
            panic!("not in place")
        };
        assert_eq!(outputs["stdout"], json!("seen"));
        let Observation::Blocked { why } = attempt.observe(looks(1)).await else { panic!("in place") };
        assert_eq!(why, "exited with 1: seen");
    }
}

#[tokio::test]
async fn a_look_that_could_not_look_has_not_said_no() {
    let bench = Bench::new();
    let attempt = bench.attempt("step");
    let looks = |script: &str| json!({"script": script, "read_only": true});
    for script in ["exit 123", "exit 2", "false"] {
        let seen = attempt.observe(looks(script)).await;
        assert!(matches!(seen, Observation::Blocked { .. }), "{script}: {seen:?}");
    }
    let cannot = [
        "exit 126",
        "no-such-tool",
        "echo cannot reach db-a >&2; exit 255",
        "timeout 0.01 sleep 1000",
        "sh -c 'kill -KILL $$'; exit $?",
        "kill -KILL $$",
    ];
    for script in cannot {
        let seen = attempt.observe(looks(script)).await;
        assert!(matches!(seen, Observation::Unknown { .. }), "{script}: {seen:?}");
    }
    let Observation::Unknown { why } = attempt.observe(looks(cannot[2])).await else { unreachable!() };
    assert_eq!(why, "exited with 255: cannot reach db-a");

    let seen = attempt.observe(json!({"argv": ["/no/such/tool"], "read_only": true})).await;
    assert!(matches!(seen, Observation::Unknown { .. }), "{seen:?}");
    let accepted = json!({"script": "exit 255", "read_only": true, "exit_codes": [255]});
    assert!(matches!(attempt.observe(accepted).await, Observation::InPlace { .. }));
}

#[tokio::test]
async fn a_look_without_a_supervisor_has_not_said_no() {
    let program = lifeboat_command::SupervisorProgram { program: "/bin/false".into(), args: Vec::new() };
    let params = json!({"script": "true", "read_only": true});
    let seen = Bench::with_program(program).attempt("step").observe(params).await;
    assert!(matches!(seen, Observation::Unknown { .. }), "{seen:?}");
}

#[tokio::test]
async fn parameters_are_checked_before_anything_runs() {
    let mut registry = Registry::new();
    let program = lifeboat_command::SupervisorProgram { program: "/none".into(), args: Vec::new() };
    lifeboat_command::register(&mut registry, program);
    let check = |params: Value| {
        let problems = registry.check_params("command.run", &params);
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>()
    };
    assert_eq!(check(json!({"script": "x", "env": {"A": "{{ secrets.a }}"}})), Vec::<String>::new());
    assert_eq!(check(json!({"scirpt": "x"})), ["unknown parameter `scirpt`"]);
    assert_eq!(check(json!({})), ["either `argv` or `script` is needed"]);
    assert_eq!(check(json!({"script": "x", "kill_after": "soon"})).len(), 1);
    let spec = registry.spec("command.run").unwrap();
    for name in ["argv", "script", "cwd"] {
        assert_eq!(spec.params["properties"][name]["x-visible"], json!(true), "others can read {name}");
    }
    assert_eq!(spec.params["properties"]["env"].get("x-visible"), None);
}

#[tokio::test]
async fn a_supervisor_that_does_not_come_up_is_said() {
    let program = lifeboat_command::SupervisorProgram { program: "/bin/false".into(), args: Vec::new() };
    let failure =
        Bench::with_program(program).attempt("step").apply(json!({"script": "x"})).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Transient);
    assert_eq!(failure.causes, ["it did not come up: exit status: 1"]);
}

#[tokio::test]
async fn a_fifo_tells_that_a_command_runs_while_it_is_awaited() {
    let bench = Bench::new();
    let (here, go) = (bench.fifo("here"), bench.fifo("go"));
    let attempt = bench.attempt("step");
    let params = json!({"argv": ["sh", "-c", "echo here > \"$1\"; cat \"$2\"", "sh", here, go]});
    let command = tokio::spawn(async move { attempt.apply(params).await });
    assert_eq!(told(&here).await, "here");
    tokio::task::spawn_blocking(move || std::fs::write(go, "went").unwrap()).await.unwrap();
    assert_eq!(command.await.unwrap().unwrap().outputs["stdout"], json!("went"));
}
