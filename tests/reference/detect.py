"""YOLOX by the book: what gpuinfer is compared with.

Written from the papers and standards alone: colours after ITU-R BT.601, section 2.5, bilinear scaling with the centres
of pixels on half integers (as OpenCV's INTER_LINEAR), YOLOX after https://arxiv.org/abs/2107.08430, suppression per
class by falling confidence. Numbers stay floating point from the frame to the box, but for the rounding to whole levels
that a picture in memory has.

Reads raw frames, I420 or RGB without gaps, from standard input; writes a line of JSON for each: [[class, confidence, x1, y1, x2, y2], ...]
in pixels of the frame.
"""

import argparse
import json
import sys

import numpy as np
import onnxruntime

SIDE = 416
PADDING = 114.0


def colours(frame, width, height):
    """Blue, green and red of an I420 frame in video range, 0 to 255."""
    luma = frame[: width * height].reshape(height, width).astype(np.float64)
    chroma = frame[width * height :].reshape(2, height // 2, width // 2).astype(np.float64)
    blue_difference, red_difference = (plane.repeat(2, axis=0).repeat(2, axis=1) for plane in chroma)
    y = (luma - 16.0) * (255.0 / 219.0)
    u = (blue_difference - 128.0) * (255.0 / 224.0)
    v = (red_difference - 128.0) * (255.0 / 224.0)
    red = y + 1.402 * v
    blue = y + 1.772 * u
    green = (y - 0.299 * red - 0.114 * blue) / 0.587
    return np.clip(np.rint(np.stack([blue, green, red], axis=-1)), 0.0, 255.0)


def weights(old, new):
    """For each of new pixels the two old ones it lies between, and how near it is to the second."""
    place = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0.0, old - 1.0)
    first = np.floor(place).astype(int)
    return first, np.minimum(first + 1, old - 1), place - first


def scaled(picture, width, height):
    top, bottom, down = weights(picture.shape[0], height)
    left, right, across = weights(picture.shape[1], width)
    down, across = down[:, None, None], across[None, :, None]
    rows = picture[top] * (1.0 - down) + picture[bottom] * down
    return np.rint(rows[:, left] * (1.0 - across) + rows[:, right] * across)


def overlap(one, others):
    corner = np.maximum(one[:2], others[:, :2])
    opposite = np.minimum(one[2:], others[:, 2:])
    shared = np.prod(np.clip(opposite - corner, 0.0, None), axis=1)
    size = np.prod(one[2:] - one[:2])
    return shared / (size + np.prod(others[:, 2:] - others[:, :2], axis=1) - shared)


def suppressed(boxes, scores, limit):
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        surest, order = order[0], order[1:]
        kept.append(surest)
        order = order[overlap(boxes[surest], boxes[order]) <= limit]
    return kept


def cells():
    for stride in (8, 16, 32):
        rows, columns = np.mgrid[0 : SIDE // stride, 0 : SIDE // stride]
        yield np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, stride)], axis=1)


CELLS = np.concatenate(list(cells())).astype(np.float64)


def decoded(output):
    """Corners in pixels of the input, and the scores of all classes."""
    output = output.astype(np.float64)
    centre = (output[:, :2] + CELLS[:, :2]) * CELLS[:, 2:]
    half = np.exp(output[:, 2:4]) * CELLS[:, 2:] / 2.0
    return np.concatenate([centre - half, centre + half], axis=1), output[:, 4:5] * output[:, 5:]


def pixels(frame, options):
    if options.format == "i420":
        return colours(frame, options.width, options.height)
    return frame.reshape(options.height, options.width, 3)[:, :, ::-1].astype(np.float64)


def detect(session, frame, options):
    width, height = options.width, options.height
    # Whole numbers: 432 * (416 / 768) is a hair less than 234 in floating point.
    longest = max(width, height)
    content = scaled(pixels(frame, options), width * SIDE // longest, height * SIDE // longest)
    tensor = np.full((SIDE, SIDE, 3), PADDING)
    tensor[: content.shape[0], : content.shape[1]] = content
    tensor = tensor.transpose(2, 0, 1)[None].astype(np.float32)
    (output,) = session.run(None, {session.get_inputs()[0].name: tensor})
    boxes, scores = decoded(output[0])
    best = scores.argmax(axis=1)
    found = []
    for kind in np.unique(best[scores.max(axis=1) >= options.confidence]):
        mine = np.flatnonzero((best == kind) & (scores[:, kind] >= options.confidence))
        for at in suppressed(boxes[mine], scores[mine, kind], options.iou):
            scale = [width / content.shape[1], height / content.shape[0]] * 2
            box = np.clip(boxes[mine[at]] * scale, 0.0, [width, height] * 2)
            found.append([int(kind), float(scores[mine[at], kind]), *map(float, box)])
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("width", type=int)
    parser.add_argument("height", type=int)
    parser.add_argument("--format", choices=["i420", "rgb"], default="i420")
    parser.add_argument("--confidence", type=float, default=0.25)
    parser.add_argument("--iou", type=float, default=0.45)
    options = parser.parse_args()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(options.model, settings, providers=["CPUExecutionProvider"])
    size = options.width * options.height * 3
    size = size // 2 if options.format == "i420" else size
    while len(frame := sys.stdin.buffer.read(size)) == size:
        print(json.dumps(detect(session, np.frombuffer(frame, np.uint8), options)), flush=True)


main()
