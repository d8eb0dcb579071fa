#!/bin/sh
# Makes the Python environment of the tests in target/python: the public package that reads HdrHistogram logs, and
# ONNX Runtime with numpy, which gpuinfer is compared with.
# Ends with 75 where PyPI cannot be reached.
set -eu
cd "$(dirname "$0")/.."

environment=${CARGO_TARGET_DIR:-target}/python
packages="hdrhistogram==0.10.8 onnxruntime==1.31.1 numpy==2.3.4"
index=https://pypi.org/simple/hdrhistogram/

if "$environment/bin/python" -c 'import hdrh.log, numpy, onnxruntime' >/dev/null 2>&1; then exit 0; fi
/usr/bin/python3 -m venv "$environment"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check $packages && exit 0
"$environment/bin/python" -c "import urllib.request; urllib.request.urlopen('$index', timeout=20)" || exit 75
exit 1
