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
sh scripts/wheel.sh "$folder/wheel" "$package" manylinux_2_12_x86_64 "$sum"
library=$folder/wheel/nvidia/cuda_nvrtc/lib
mv "$library/libnvrtc.so.12" "$library/libnvrtc-builtins.so.12.9" "$folder"
rm -r "$folder/wheel"
ln -s libnvrtc.so.12 "$folder/libnvrtc.so"
touch "$folder/.complete"
