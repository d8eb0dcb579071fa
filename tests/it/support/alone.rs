//! Tests that need a process for themselves: for what is one in a process, and for what all its threads share.

use std::process::Command;

const CHILD: &str = "LIVETUNE_TEST_ALONE";

/// Runs `test`, which is the test called `name` with its modules, in a process in which no other test runs.
pub fn alone(name: &str, test: impl FnOnce()) {
    alone_with(name, &[], test);
}

/// As [`alone`], with `variables` in the environment of that process.
pub fn alone_with(name: &str, variables: &[(&str, &str)], test: impl FnOnce()) {
    if std::env::var_os(CHILD).is_some() {
        super::init();
        return test();
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .env("G_DEBUG", "fatal-criticals")
        .envs(variables.iter().copied());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}{complaint}");
    assert!(said.contains("1 passed"), "there is no test called {name}");
}
