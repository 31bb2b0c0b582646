//! A secret that is handed over in `env` reaches the command and nothing else.

use std::fs;
use std::path::Path;

use lifeboat_action::Recovery;
use serde_json::json;

use crate::support::{Bench, HELPER, told};

const SECRET: &str = "correct-horse-battery-staple";

#[tokio::test]
async fn a_secret_is_masked_in_what_is_given_back() {
    let bench = Bench::new();
    let mut attempt = bench.attempt("step");
    attempt.secrets.push(SECRET.to_owned());
    let script = r#"echo "{\"password\": \"$PASSWORD\"}"; echo "no $PASSWORD" >&2; exit $CODE"#;
    let params = json!({"script": script, "env": {"PASSWORD": SECRET, "CODE": "0"}});
    let outcome = attempt.apply(params).await.unwrap();
    assert_eq!(outcome.outputs["json"], json!({"password": "‹secret›"}));
    assert_eq!(outcome.outputs["stderr"], json!("no ‹secret›"));

    let mut attempt = bench.attempt("failing");
    attempt.secrets.push(SECRET.to_owned());
    let params = json!({"script": script, "env": {"PASSWORD": SECRET, "CODE": "1"}});
    assert_eq!(attempt.apply(params).await.unwrap_err().tail.as_deref(), Some("no ‹secret›"));

    let mut attempt = bench.attempt("absent");
    attempt.secrets.push(SECRET.to_owned());
    let failure = attempt.apply(json!({"argv": [format!("/none/{SECRET}")]})).await.unwrap_err();
    assert!(!failure.to_string().contains(SECRET), "{failure}");
}

#[tokio::test]
async fn what_holds_a_secret_that_is_another_by_now_is_not_given_back() {
    let bench = Bench::new();
    let script = r#"echo "using $PASSWORD"; exit $CODE"#;
    for (step, code) in [("fine", "0"), ("failing", "1")] {
        let mut attempt = bench.attempt(step);
        attempt.secrets.push(SECRET.to_owned());
        let params = json!({"script": script, "env": {"PASSWORD": SECRET, "CODE": code}});
        assert_eq!(attempt.apply(params.clone()).await.is_ok(), code == "0");
        let Recovery::Ended { result, .. } = attempt.recover(params.clone()).await else {
            panic!("it ended")
        };
        assert_eq!(result.is_ok(), code == "0", "the same secret: {result:?}");
        for secrets in [vec!["another".to_owned()], Vec::new()] {
            attempt.secrets = secrets;
            let found = attempt.recover(params.clone()).await;
            assert!(!format!("{found:?}").contains(SECRET), "{found:?}");
            let Recovery::Ended { result: Err(failure), .. } = found else { panic!("{found:?}") };
            let words = "it holds a secret that is another by now";
            assert!(format!("{failure:?}").contains(words), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn a_secret_is_in_no_argument_and_no_file() {
    let bench = Bench::new();
    let (here, go) = (bench.fifo("here"), bench.fifo("go"));
    let attempt = bench.attempt("step");
    let folder = attempt.folder().to_owned();
    let script = r#"echo ${#PASSWORD} > "$HERE"; cat "$GO""#;
    let params = json!({"script": script, "env": {"PASSWORD": SECRET, "HERE": here, "GO": go}});
    let command = tokio::spawn(async move { attempt.apply(params).await });
    assert_eq!(told(&here).await, SECRET.len().to_string(), "the command has it");

    let mut supervisors = 0;
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        supervisors += usize::from(line.starts_with(HELPER));
        assert!(!line.contains(SECRET), "{line}");
    }
    assert!(supervisors > 0, "the supervisor's arguments were not looked at");
    let files: Vec<_> = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    files.iter().for_each(|file| is_private_and_clean(file));

    tokio::task::spawn_blocking(move || fs::write(go, "").unwrap()).await.unwrap();
    command.await.unwrap().unwrap();
    files.iter().for_each(|file| is_private_and_clean(file));
}

#[tokio::test]
async fn a_refusal_quotes_no_parameter_in_its_file() {
    let bench = Bench::new();
    let secret_path = format!("/none/{SECRET}");
    let program = json!({"argv": [secret_path]});
    let folder = json!({"argv": ["true"], "cwd": secret_path});
    let about = [
        ("program", program, "`/none/‹secret›` could not be started: No such file or directory (os error 2)"),
        ("folder", folder, "its working folder `/none/‹secret›` is not there"),
    ];
    for (step, params, words) in about {
        let mut attempt = bench.attempt(step);
        attempt.secrets.push(SECRET.to_owned());
        assert_eq!(attempt.apply(params.clone()).await.unwrap_err().message, words);
        is_private_and_clean(&attempt.folder().join("supervision.jsonl"));
        let found = attempt.recover(params).await;
        assert!(
            matches!(&found, Recovery::Ended { result: Err(failure), .. } if failure.message == words),
            "{found:?}"
        );
    }
}

fn is_private_and_clean(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    assert!(!fs::read_to_string(file).unwrap().contains(SECRET), "{}", file.display());
}
