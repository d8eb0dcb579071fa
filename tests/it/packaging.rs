//! The plugin as a file: what it needs, what it shows, where it is installed.

use std::path::Path;
use std::process::Command;

use crate::support::launch::{gstreamer, plugin_dir};

/// Libraries that every GStreamer installation has. Anything else must be opened at run time: a missing library
/// would take all elements away.
const ALLOWED: [&str; 7] = [
    "libglib-2.0.",
    "libgobject-2.0.",
    "libgio-2.0.",
    "libc.",
    "libm.",
    "libgcc_s.",
    "ld-linux",
];

#[test]
fn the_library_needs_only_gstreamer_glib_and_libc() {
    let library = plugin_dir().join("libgstlivetune.so");
    let output = Command::new("readelf")
        .arg("-d")
        .arg(library)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let needed: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .filter_map(|line| Some(line.split_once('[')?.1.trim_end_matches(']')))
        .collect();
    assert!(
        needed
            .iter()
            .any(|name| name.starts_with("libgstreamer-1.0.")),
        "{text}"
    );
    for name in needed {
        let gstreamer = name.starts_with("libgst") && name.contains("-1.0.");
        let allowed = gstreamer || ALLOWED.iter().any(|prefix| name.starts_with(prefix));
        assert!(allowed, "the library needs {name}");
    }
}

#[test]
fn gst_inspect_lists_the_elements_without_a_complaint() {
    // The tracer is called as the plugin is.
    let output = gstreamer("gst-inspect-1.0")
        .args(["--plugin", "livetune"])
        .output()
        .unwrap();
    let (said, complained) = texts(&output);
    assert!(output.status.success(), "{complained}");
    assert_eq!(complained, "");
    for (name, _) in gstlivetune::ELEMENTS {
        assert!(said.contains(&format!("  {name}: ")), "{said}");
    }
    let features = gstlivetune::ELEMENTS.len() + gstlivetune::TRACERS.len();
    assert!(said.contains(&format!("{features} features")), "{said}");
}

#[test]
fn gst_inspect_describes_each_element_and_its_presets() {
    for (name, _) in gstlivetune::ELEMENTS {
        let output = gstreamer("gst-inspect-1.0").arg(name).output().unwrap();
        let (said, complained) = texts(&output);
        assert!(output.status.success(), "{name}: {complained}");
        assert!(!complained.contains("CRITICAL"), "{name}: {complained}");
        assert!(
            said.contains("low-latency"),
            "{name} shows no preset: {said}"
        );
    }
}

#[test]
fn an_installation_holds_plugin_presets_and_pkg_config_file() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("install");
    let _ = std::fs::remove_dir_all(&root);
    let build = root.join("build");
    std::fs::create_dir_all(build.join("release")).unwrap();
    let library = plugin_dir().join("libgstlivetune.so");
    std::fs::copy(library, build.join("release/libgstlivetune.so")).unwrap();
    let install = |verb| {
        let status = Command::new("sh")
            .args(["pkgconfig/install.sh", verb])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("CARGO_TARGET_DIR", &build)
            .env("DESTDIR", root.join("image"))
            .env("PREFIX", "/opt/livetune")
            .env_remove("LIBDIR")
            .env_remove("DATADIR")
            .output()
            .unwrap();
        assert!(
            status.status.success(),
            "{}",
            String::from_utf8_lossy(&status.stderr)
        );
    };
    let image = root.join("image/opt/livetune");
    let plugin = image.join("lib/gstreamer-1.0/libgstlivetune.so");
    let pc = image.join("lib/pkgconfig/gstlivetune.pc");
    install("install");
    assert!(plugin.exists());
    let preset = image.join("share/gstreamer-1.0/presets/GstLiveTuneLatencyTracer.prs");
    assert!(preset.exists());
    let version = Command::new("pkg-config")
        .arg("--modversion")
        .arg(&pc)
        .output()
        .unwrap();
    assert_eq!(texts(&version).0.trim(), env!("CARGO_PKG_VERSION"));
    install("uninstall");
    assert!(!plugin.exists() && !pc.exists() && !preset.exists());
}

fn texts(output: &std::process::Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}
