#!/bin/sh
# Takes ONNX Runtime's shared library out of the wheel that PyPI has, into target/onnxruntime: nothing is installed.
# With the word openvino, the build with the OpenVINO provider, into target/onnxruntime-openvino.
# WHEELS=folder: a folder that has the wheel already. Ends with 75 where PyPI cannot be reached.
set -eu
cd "$(dirname "$0")/.."

case "${1:-plain}" in
plain)
    folder=onnxruntime
    package=onnxruntime==1.31.1
    sum=5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f
    ;;
openvino)
    folder=onnxruntime-openvino
    package=onnxruntime-openvino==1.24.1
    sum=3007c803634cc69c6d52af1dea7ce729d9bb62b9a11070fd2f959119199007a8
    ;;
*)
    echo "usage: $0 [openvino]" >&2
    exit 2
    ;;
esac
folder=${CARGO_TARGET_DIR:-target}/$folder
[ -f "$folder/.complete" ] && exit 0

rm -rf "$folder"
sh scripts/wheel.sh "$folder/wheel" "$package" manylinux_2_28_x86_64 "$sum"
mv "$folder"/wheel/onnxruntime/capi/lib*.so* "$folder"
mv "$folder"/wheel/onnxruntime/LICENSE "$folder"/wheel/onnxruntime/ThirdPartyNotices.txt "$folder"
rm -r "$folder/wheel"
library=$(basename "$folder"/libonnxruntime.so.1.*)
ln -s "$library" "$folder/libonnxruntime.so.1"
ln -s "$library" "$folder/libonnxruntime.so"
touch "$folder/.complete"
