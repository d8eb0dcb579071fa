#!/usr/bin/python3
"""The percentiles of every stage, each second: live_percentiles.py videotestsrc is-live=true ! x264enc ! fakesink"""
import os, sys, gi
os.environ.setdefault("GST_TRACERS", "livetune(report=none)")
gi.require_version("Gst", "1.0")
from gi.repository import Gst

def fields(structure):
    names = [structure.nth_field_name(number) for number in range(structure.n_fields())]
    return [(name, structure.get_value(name)) for name in names]

Gst.init(None)
tracer = next(t for t in Gst.tracing_get_active_tracers() if t.__gtype__.name == "GstLiveTuneTracer")
pipeline = Gst.parse_launch(" ".join(sys.argv[1:]))
pipeline.set_state(Gst.State.PLAYING)
while not pipeline.get_bus().timed_pop_filtered(Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR):
    snapshot = tracer.emit("snapshot")  # to be kept: what is in it belongs to it
    for sink, path in [entry for _, paths in fields(snapshot) for entry in fields(paths)]:
        for stage, figures in fields(path.get_value("stages")) + [("-> " + sink, path)]:
            times = [f"{p} {figures.get_value('transit-' + p) / 1e6:8.2f} ms" for p in ("p50", "p95", "p99")]
            print(f"{stage:24}", *times, flush=True)
pipeline.set_state(Gst.State.NULL)
