#!/bin/sh
# Builds GstShark in target/peers and runs a command with LIVETUNE_PEERS set to the folder of its plugin.
# GSTSHARK_SOURCE: a checkout to take it from. Needs git, meson, ninja and libxml2 with its development files.
set -eu
cd "$(dirname "$0")/.."

peers=${CARGO_TARGET_DIR:-target}/peers
revision=09ba05865dacd2824b5b40ab75a4b9545fcc1366 # release 0.8.1
plugin=plugins/tracers/libgstsharktracers.so

if [ ! -e "$peers/build/$plugin" ]; then
    rm -rf "$peers/build" "$peers/gst-shark"
    git clone --quiet "${GSTSHARK_SOURCE:-https://github.com/RidgeRun/gst-shark}" "$peers/gst-shark"
    git -C "$peers/gst-shark" checkout --quiet "$revision"
    meson setup "$peers/build" "$peers/gst-shark" --buildtype=release \
        -Denable-plotting=disabled -Denable-tests=false -Denable-docs=false
    ninja -C "$peers/build"
fi

LIVETUNE_PEERS=$(cd "$peers/build/plugins/tracers" && pwd) exec "$@"
