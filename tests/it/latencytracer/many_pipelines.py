"""Makes and drops pipelines under the tracer livetune; says by how much memory grew, and what the tracer still knows.

Arguments: how many pipelines. Every hundredth is played to its end.
"""
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

LINE = "fakesrc num-buffers=5 format=time datarate=640000 ! {} ! queue ! fakesink"
TAPS = ["latencytracer", "latencytracer scope=pipeline", "identity"]
WARM = 0.2


def resident():
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1])


def live(number):
    pipeline = Gst.parse_launch(LINE.format(TAPS[number % len(TAPS)]))
    if number % 100 == 0:
        pipeline.set_state(Gst.State.PLAYING)
        ends = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = pipeline.get_bus().timed_pop_filtered(10 * Gst.SECOND, ends)
        assert message and message.type == Gst.MessageType.EOS
        pipeline.set_state(Gst.State.NULL)


Gst.init(None)
(tracer,) = [t for t in Gst.tracing_get_active_tracers() if t.__gtype__.name == "GstLiveTuneTracer"]
count = int(sys.argv[1])
warm = int(count * WARM)
for number in range(warm):
    live(number)
before = resident()
for number in range(warm, count):
    live(number)
print("grown", resident() - before, "kB")
print("known", tracer.emit("snapshot").n_fields(), "pipelines")
