#!/bin/sh
# Runs tests of the plugin on the GStreamer of Debian trixie (1.26): a tree of its packages in target/trixie, whose
# libraries the test program gets from trixie's own loader. Nothing is installed, mounted or started.
# sh scripts/trixie.sh [FILTER ...]: tests as `cargo test --test it` names them.
# Making the tree takes root, debootstrap, a minute and 1.1 GB; it ends with 75 where that cannot be done.
set -eu
cd "$(dirname "$0")/.."

tree=${TRIXIE:-${CARGO_TARGET_DIR:-target}/trixie}
libraries=$tree/usr/lib/x86_64-linux-gnu
packages=gstreamer1.0-tools,gstreamer1.0-plugins-base,gstreamer1.0-plugins-good,gstreamer1.0-plugins-bad
packages=$packages,gstreamer1.0-plugins-ugly

if [ ! -e "$libraries/gstreamer-1.0/libgstanalyticsoverlay.so" ]; then
    if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
        echo "SKIP: trixie's tree takes root and debootstrap" >&2
        exit 75
    fi
    # Its last phase cannot start services and ends with an error; by then all files are there.
    debootstrap --variant=minbase --include="$packages" trixie "$tree" >"$tree.log" 2>&1 || true
    if [ ! -e "$libraries/libgstanalytics-1.0.so.0" ]; then
        echo "SKIP: trixie's packages cannot be had, see $tree.log" >&2
        exit 75
    fi
fi

tests=$(cargo test --locked --test it --no-run 2>&1 | sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
[ -n "$tests" ] || cargo test --locked --test it --no-run
search=$libraries:$libraries/pulseaudio:$libraries/blas:$libraries/lapack
# No scanner: it would be another program, with the libraries of this system.
GST_PLUGIN_SYSTEM_PATH=$libraries/gstreamer-1.0 GST_REGISTRY=$tree.registry GST_REGISTRY_FORK=no \
    GST_PLUGIN_SCANNER=/nonexistent \
    "$tree/lib64/ld-linux-x86-64.so.2" --library-path "$search" "$tests" "$@"
