//! Gives the plugin its commit and release date.
fn main() {
    gst_plugin_version_helper::info();
}
