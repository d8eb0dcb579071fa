#!/bin/sh
# Takes NVRTC, CUDA's run-time compiler, out of the wheel that PyPI has, into target/nvrtc: nothing is installed, and no
# GPU is needed. With it a test compiles the kernel of gpuinfer as users' machines do.
# WHEELS=folder: a folder that has the wheel already. Ends with 75 where PyPI cannot be reached.
set -eu
cd "$(dirname "$0")/.."

package=nvidia-cuda-nvrtc-cu12==12.9.86
sum=210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4
folder=${CARGO_TARGET_DIR:-target}/nvrtc
[ -f "$folder/.complete" ] && exit 0

rm -rf "$folder"
mkdir -p "$folder"
/usr/bin/python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --python-version 3.11 --implementation py --platform manylinux_2_12_x86_64 \
    ${WHEELS:+--no-index --find-links "$WHEELS"} --dest "$folder" "$package" || exit 75
wheel=$(echo "$folder"/*.whl)
echo "$sum  $wheel" | sha256sum --check --quiet
/usr/bin/python3 -m zipfile --extract "$wheel" "$folder/wheel"
mv "$folder"/wheel/nvidia/cuda_nvrtc/lib/libnvrtc.so.12 "$folder"/wheel/nvidia/cuda_nvrtc/lib/libnvrtc-builtins.so.12.9 "$folder"
rm -r "$folder/wheel" "$wheel"
ln -s libnvrtc.so.12 "$folder/libnvrtc.so"
touch "$folder/.complete"
