#!/bin/sh
# Makes a tree of Debian sid in target/peers, whose GStreamer has onnxinference, and runs what is given (as root).
# LIVETUNE_SID: that tree instead.
set -eu
cd "$(dirname "$0")/.."

tree=${LIVETUNE_SID:-$PWD/target/peers/sid}
packages=gstreamer1.0-tools,gstreamer1.0-plugins-base,gstreamer1.0-plugins-good,gstreamer1.0-plugins-bad,gstreamer1.0-libav,libre2-11
if ! [ -e "$tree/usr/bin/gst-launch-1.0" ]; then
    mkdir -p "$tree"
    # The packages are unpacked, which is all that is needed; some cannot be configured without a running system.
    debootstrap --variant=minbase --include="$packages" sid "$tree" || true
fi
chroot "$tree" gst-inspect-1.0 --exists onnxinference
[ -e "$tree/dev/null" ] || mknod -m 666 "$tree/dev/null" c 1 3
LIVETUNE_SID=$tree exec "$@"
