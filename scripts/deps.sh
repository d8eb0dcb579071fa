#!/bin/sh
# Checks what the build, the demo and the tests need, and installs it where this is Debian or Ubuntu.
set -eu

libraries="gstreamer-1.0 gstreamer-base-1.0 gstreamer-video-1.0 gstreamer-check-1.0"
elements="videotestsrc videoconvertscale x264enc avdec_h264 h264parse rtpbin rtph264pay qtdemux
    pngdec pngenc agingtv vp8enc openh264enc netsim udpsrc
    rtphdrextntp64 x265enc h265parse mpegtsmux tsdemux flvmux matroskamux srtsink rtmp2sink tcpserversrc
    webrtcbin nicesrc ristsink"
# The distribution's own Python: only that one knows its introspection data.
python=/usr/bin/python3

missing() {
    pkg-config --version >/dev/null 2>&1 || echo pkg-config
    cc --version >/dev/null 2>&1 || echo "C compiler (cc)"
    for library in $libraries; do
        pkg-config --exists "$library >= 1.22" 2>/dev/null || echo "$library >= 1.22"
    done
    for element in $elements; do
        gst-inspect-1.0 "$element" >/dev/null 2>&1 || echo "element $element"
    done
    gst-play-1.0 --version >/dev/null 2>&1 || echo gst-play-1.0
    for namespace in Gst GstRtspServer; do
        "$python" -c "import gi; gi.require_version('$namespace', '1.0'); from gi.repository import $namespace" \
            >/dev/null 2>&1 || echo "$namespace for $python"
    done
    "$python" -c 'import ensurepip' >/dev/null 2>&1 || echo "venv for $python"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

if ! cargo --version >/dev/null 2>&1; then
    echo "deps: no Rust toolchain: install one from https://rustup.rs (1.94 or newer)" >&2
    exit 1
fi

lacking=$(missing)
[ -z "$lacking" ] && exit 0

if command -v apt-get >/dev/null 2>&1; then
    echo "deps: missing, installing with apt-get:" $lacking
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        gcc libc6-dev pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev \
        gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
        gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav \
        gstreamer1.0-plugins-base-apps gstreamer1.0-nice gir1.2-gstreamer-1.0 gir1.2-gst-plugins-base-1.0 \
        gir1.2-gst-rtsp-server-1.0 python3-gi python3-venv >/dev/null
    lacking=$(missing)
    [ -z "$lacking" ] && exit 0
fi

cat >&2 <<END
deps: these are missing:
$lacking
Install GStreamer 1.22 or newer with its development files and the plugin sets base, good, bad, ugly and libav:
  Debian, Ubuntu: apt-get install gcc pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev
                  gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
                  gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly gstreamer1.0-libav
                  gstreamer1.0-plugins-base-apps gstreamer1.0-nice gir1.2-gst-rtsp-server-1.0 python3-gi python3-venv
  Fedora:         dnf install gcc pkgconf-pkg-config gstreamer1-devel gstreamer1-plugins-base-devel
                  gstreamer1-plugins-base gstreamer1-plugins-good gstreamer1-plugins-bad-free
                  gstreamer1-plugins-bad-free-extras gstreamer1-plugins-ugly gstreamer1-plugin-openh264
                  gstreamer1-plugin-libav gstreamer1-rtsp-server libnice-gstreamer1 python3-gobject (x264enc: from RPM Fusion)
  Arch:           pacman -S gcc pkgconf gstreamer gst-plugins-base gst-plugins-good gst-plugins-bad
                  gst-plugins-ugly gst-libav gst-rtsp-server libnice python-gobject
  Homebrew:       brew install pkgconf gstreamer libnice-gstreamer pygobject3
END
exit 1
