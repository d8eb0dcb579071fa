# Every target is a line or two that a person could type.
.POSIX:
.PHONY: all deps engines onnxruntime nvrtc plugin demo check check-trixie check-miri check-asan lint test check-reference bench bench-latency bench-peers bench-network bench-infer bench-infer-peers bench-buffers bench-quality install install-user uninstall clean

all: plugin

# What the build, the demo and the tests need of GStreamer: installed where it is missing.
deps:
	sh scripts/deps.sh

# ONNX Runtime for gpuinfer, plain and with OpenVINO, in target: tests and benchmarks take it from there.
onnxruntime:
	sh scripts/onnxruntime.sh
	sh scripts/onnxruntime.sh openvino

# The same for a check, which goes on where PyPI cannot be reached (75): what needs it is left out then.
engines: deps
	sh scripts/onnxruntime.sh || [ $$? -eq 75 ]
	sh scripts/onnxruntime.sh openvino || [ $$? -eq 75 ]

# CUDA's run-time compiler, for a test that compiles gpuinfer's kernel; takes no GPU.
nvrtc:
	sh scripts/nvrtc.sh

plugin: deps
	cargo build --release --locked --lib

demo: deps
	cargo run --release --locked --quiet --example camera_to_network

check: deps engines lint test

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# What runs in real time needs the machine for itself: one such test at a time, and after all others.
REAL_TIME = adaptivebitrate::transports demo:: gpuinfer::late gpuinfer::sharing qualityswitch::live

test:
	cargo test --workspace --locked -- $(REAL_TIME:%=--skip=%)
	cargo test --locked --test it -- --test-threads=1 $(REAL_TIME)

# What needs GStreamer 1.24 (GstAnalytics), on that of Debian trixie, unpacked in target/trixie (as root).
check-trixie: deps
	sh scripts/trixie.sh gpuinfer::metadata gpuinfer::second_stage gpuinfer::tracking

# What is lock-free in the recycling of memory, under Miri (Rust nightly with the component miri).
check-miri:
	MIRIFLAGS=-Zmiri-many-seeds=0..8 cargo +nightly miri test --locked --package livetune-core --lib recycle::stock

# bufferrecycler under AddressSanitizer (Rust nightly): what comes from malloc is used within its bounds and its life, and
# given back. Not watched are the insides of recycled blocks, maps of their own (the property poison does that), and
# GStreamer's own code but for its leaks. Left out: what runs gst-launch-1.0, which has no sanitizer, and what counts pages.
UNDER_ASAN = --skip=surface:: --skip=nothing_leaks --skip=ten_thousand --skip=reserved_frames_are_there_with_their_pages
check-asan: deps
	CARGO_TARGET_DIR=target/asan RUSTFLAGS='-Zsanitizer=address -Cforce-frame-pointers=yes' \
	ASAN_OPTIONS=fast_unwind_on_malloc=0 LSAN_OPTIONS=suppressions=$$PWD/scripts/lsan.supp:print_suppressions=0 \
	cargo +nightly test --locked --package gst-plugin-livetune --config 'profile.dev.package."*".opt-level=1' \
	--target "$$(rustc -vV | sed -n 's/^host: //p')" --lib --test it -- bufferrecycler:: $(UNDER_ASAN)

# gpuinfer beside Python's onnxruntime with a decoder of its own, on every frame of two videos: a quarter of an hour.
check-reference: deps
	LIVETUNE_REFERENCE=all cargo test --locked --test it -- --nocapture --test-threads=1 gpuinfer::reference

bench: deps
	cargo bench --workspace --locked --benches

# What measuring latency costs and how near the truth it comes, ours beside GStreamer's own tracer.
bench-latency: deps
	cargo bench --locked --bench latency_tables

# The same beside GstShark, which is fetched and built in target/peers (GSTSHARK_SOURCE: from there instead).
bench-peers: deps
	sh scripts/peers.sh cargo bench --locked --bench latency_tables

# What congestion control makes of a network, in network namespaces (as root). REPEATS=3: medians of three runs.
# PEER=rtpgccbwe: that element beside ours, fetched and built in target/peers.
bench-network: deps
	sh scripts/congestion_peer.sh cargo bench --locked --bench network -- all

# What the element adds to the network that it runs, and what many cameras on one network get.
bench-infer: deps
	cargo bench --locked --package gst-plugin-livetune --bench infer

# GStreamer's onnxinference beside the element, in a tree of Debian sid that is made in target/peers (as root).
bench-infer-peers: deps
	sh scripts/infer_peers.sh cargo bench --locked --package gst-plugin-livetune --bench infer -- peers

# What recycled memory saves, and where it saves nothing.
bench-buffers: deps
	cargo bench --locked --package gst-plugin-livetune --bench buffers

# What qualityswitch makes of a machine that is full, stock beside it: tables, and plots in target/quality.
bench-quality: deps
	cargo bench --locked --package gst-plugin-livetune --bench quality -- all

# PREFIX, LIBDIR, DATADIR and DESTDIR are honoured; without them the plugin goes where GStreamer looks.
install: plugin
	sh pkgconfig/install.sh install

install-user: plugin
	sh pkgconfig/install.sh install-user

uninstall:
	sh pkgconfig/install.sh uninstall

clean:
	cargo clean
