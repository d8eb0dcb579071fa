#!/bin/sh
# Where PEER is rtpgccbwe: builds that element in target/peers. Then runs a command that finds it.
set -eu
cd "$(dirname "$0")/.."

crate=gst-plugin-rtp
version=0.15.4
folder=${CARGO_TARGET_DIR:-target}/peers/$crate
plugins=$folder/plugins

case ${PEER:-} in
'') exec "$@" ;;
rtpgccbwe) ;;
*)
    echo "bench-network: the only peer is PEER=rtpgccbwe" >&2
    exit 1
    ;;
esac

if [ ! -e "$plugins/libgstrsrtp.so" ]; then
    mkdir -p "$folder/src" "$plugins"
    : >"$folder/src/lib.rs"
    cat >"$folder/Cargo.toml" <<END
[package]
name = "peer"
version = "0.0.0"
edition = "2024"

[dependencies]
$crate = "=$version"

[workspace]
END
    CARGO_TARGET_DIR= nice -n 19 cargo build --release --manifest-path "$folder/Cargo.toml" \
        --target-dir "$folder/target" --package "$crate"
    find "$folder/target/release" -name 'libgstrsrtp*.so' -exec cp {} "$plugins/libgstrsrtp.so" \;
fi

GST_PLUGIN_PATH=$(cd "$plugins" && pwd) exec "$@"
