#!/bin/sh
# Unpacks nginx and its RTMP module into target/nginx, for the tests: nothing is installed or started.
# Ends with 75 where Debian's packages cannot be had.
set -eu
cd "$(dirname "$0")/.."

folder=${CARGO_TARGET_DIR:-target}/nginx
[ -x "$folder/usr/sbin/nginx" ] && [ -f "$folder/usr/lib/nginx/modules/ngx_rtmp_module.so" ] && exit 0

mkdir -p "$folder"
cd "$folder"
apt-get download -qq nginx libnginx-mod-rtmp >/dev/null 2>&1 || exit 75
for package in *.deb; do
    dpkg -x "$package" .
    rm "$package"
done
