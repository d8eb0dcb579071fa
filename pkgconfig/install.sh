#!/bin/sh
# Installs the release build where GStreamer finds it, for those who do without cargo-c.
# usage: install.sh install | install-user | uninstall     (PREFIX, LIBDIR, DATADIR, DESTDIR in the environment)
set -eu
cd "$(dirname "$0")/.."

gst() { pkg-config --variable="$1" gstreamer-1.0; }
manifest() { sed -n "s/^$1 = \"\(.*\)\"\$/\1/p" Cargo.toml | head -n 1; }

library=${CARGO_TARGET_DIR:-target}/release/libgstlivetune.so
destdir=${DESTDIR:-}
if [ -n "${PREFIX:-}" ]; then
    libdir=${LIBDIR:-$PREFIX/lib}
    datadir=${DATADIR:-$PREFIX/share}
else
    PREFIX=$(gst prefix)
    libdir=${LIBDIR:-$(gst libdir)}
    datadir=${DATADIR:-$(gst datadir)}
fi
if [ "$libdir" = "$(gst libdir)" ]; then pluginsdir=$(gst pluginsdir); else pluginsdir=$libdir/gstreamer-1.0; fi

# The plugin into folder $1, the presets into folder $2.
put() {
    install -d "$1" "$2"
    install -m 755 "$library" "$1/"
    install -m 644 presets/*.prs "$2/"
    echo "installed $1/libgstlivetune.so and presets in $2"
}

case ${1:-} in
install)
    put "$destdir$pluginsdir" "$destdir$datadir/gstreamer-1.0/presets"
    install -d "$destdir$libdir/pkgconfig"
    sed -e "s|@prefix@|$PREFIX|" -e "s|@libdir@|$libdir|" -e "s|@pluginsdir@|$pluginsdir|" \
        -e "s|@description@|$(manifest description)|" -e "s|@version@|$(manifest version)|" \
        -e "s|@requires_private@|$(manifest requires_private)|" \
        pkgconfig/gstlivetune.pc.in >"$destdir$libdir/pkgconfig/gstlivetune.pc"
    ;;
install-user)
    data=${XDG_DATA_HOME:-$HOME/.local/share}/gstreamer-1.0
    put "$data/plugins" "$data/presets"
    ;;
uninstall)
    rm -f "$destdir$pluginsdir/libgstlivetune.so" "$destdir$libdir/pkgconfig/gstlivetune.pc"
    for preset in presets/*.prs; do
        rm -f "$destdir$datadir/gstreamer-1.0/presets/${preset##*/}"
    done
    ;;
*)
    echo "usage: $0 install | install-user | uninstall" >&2
    exit 2
    ;;
esac
