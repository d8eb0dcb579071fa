#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Train the shapes detector: a tiny YOLOv8-style network that finds balls, squares and triangles.

Nothing here is needed to build or to run livetune: the trained file, shapes.onnx, lies beside
this script. It was trained only on pictures that draw_shapes.py draws: shapes over flat,
striped, noisy, textured and test-pattern backgrounds, among them `videotestsrc pattern=ball`.

    pip install numpy pillow torch onnx onnxruntime
    python models/train_shapes.py --seed 7 --steps 6000           # trains; 20 min on one CPU core
    python models/train_shapes.py --evaluate models/shapes.onnx   # prints the numbers below

The first command made the shipped file (torch 2.15, one thread; another version or thread count
rounds differently and so gives slightly other weights):

    training seed 7, held-out seed 20240607 (1000 pictures, none of them trained on)
    held-out mAP@0.5  0.943   (ball 0.954, square 0.936, triangle 0.938)
    161,561 parameters, 706,169 bytes, 75 million multiply-adds a picture

Input `images`: float32 [batch, 3, 320, 320], RGB, 0..1, letterboxed with grey 114/255.
Output `output0`: float32 [batch, 7, 2100]: cx, cy, w, h in input pixels, then the probabilities of
ball, square and triangle, for the cells of strides 8, 16 and 32. Non-maximum suppression is left
to the caller.

Known limits: balls of less than 8 input pixels are often missed, and the round centres of some
test patterns (circular, spokes) are reported as balls.
"""

import argparse
import math
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from draw_shapes import LABELS, draw_chunk

INPUT_SIZE = 320
STRIDES = (8, 16, 32)
REACH = 8  # the farthest side of a box from its cell's centre, in strides
HELD_OUT_SEED = 20_240_607
HELD_OUT_PICTURES = 1000


class PicturePool:
    """Pictures to train on; a worker process draws new ones, which replace the oldest."""

    CHUNK, CHUNKS, REUSE = 256, 10, 3

    def __init__(self, executor, seed, size):
        self.executor, self.seed, self.size = executor, seed, size
        self.rng = np.random.default_rng([seed, size])
        self.taken, self.next_chunk = 0, self.CHUNKS
        first = [self.submit(chunk) for chunk in range(self.CHUNKS)]
        self.chunks = [future.result() for future in first]
        self.pending = self.submit(self.next_chunk)

    def submit(self, chunk):
        return self.executor.submit(draw_chunk, self.seed, chunk, self.CHUNK, self.size)

    def refresh(self):
        self.chunks[self.next_chunk % self.CHUNKS] = self.pending.result()
        self.next_chunk += 1
        self.pending = self.submit(self.next_chunk)

    def batch(self, count):
        """Images (float NCHW, 0..1), and targets label, x1, y1, x2, y2 padded with label -1."""
        self.taken += count
        if self.taken >= self.CHUNK * self.REUSE:
            self.taken -= self.CHUNK * self.REUSE
            self.refresh()
        images, targets = [], np.full((count, 6, 5), -1, np.float32)
        for i in range(count):
            pictures, rows = self.chunks[self.rng.integers(self.CHUNKS)]
            index = self.rng.integers(self.CHUNK)
            picture, row = self.flip(pictures[index], rows[index].copy())
            images.append(picture[..., self.rng.permutation(3)])
            targets[i, : len(row)] = row
        images = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
        return images.float().contiguous(memory_format=torch.channels_last) / 255, torch.from_numpy(targets)

    def flip(self, picture, rows):
        if self.rng.random() < 0.5:
            picture, rows[:, [1, 3]] = picture[:, ::-1], self.size - rows[:, [3, 1]]
        if self.rng.random() < 0.5:
            picture, rows[:, [2, 4]] = picture[::-1], self.size - rows[:, [4, 2]]
        return picture, rows



class ConvUnit(nn.Module):
    """Convolution, batch normalisation (fused for export), ReLU."""

    def __init__(self, inputs, outputs, kernel=3, stride=1, groups=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, momentum=0.03)

    def forward(self, x):
        return F.relu(self.norm(self.conv(x)))

    def fuse(self):
        self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), nn.Identity()


def separable(inputs, outputs, kernel=3, stride=1):
    return nn.Sequential(ConvUnit(inputs, inputs, kernel, stride, inputs), ConvUnit(inputs, outputs, 1))


class Residual(nn.Module):
    def __init__(self, width, kernel=3):
        super().__init__()
        self.body = separable(width, width, kernel)

    def forward(self, x):
        return x + self.body(x)


class ShapesNet(nn.Module):
    """Backbone to strides 8, 16 and 32, a feature pyramid down and up, and one head per stride."""

    def __init__(self, widths=(8, 20, 36, 64, 96), neck=40):
        super().__init__()
        w0, w1, w2, w3, w4 = widths
        self.stem = nn.Sequential(ConvUnit(3, w0, 3, 2), ConvUnit(w0, w1, 3, 2), Residual(w1))
        self.stage8 = nn.Sequential(ConvUnit(w1, w2, 3, 2), Residual(w2), Residual(w2))
        self.stage16 = nn.Sequential(ConvUnit(w2, w3, 3, 2), Residual(w3, 5), Residual(w3, 5))
        self.stage32 = nn.Sequential(ConvUnit(w3, w4, 3, 2), Residual(w4, 5), Residual(w4, 5))
        self.squeeze, self.pool = ConvUnit(w4, neck, 1), nn.MaxPool2d(5, 1, 2)
        self.lateral32 = ConvUnit(3 * neck, neck, 1)
        self.lateral16, self.lateral8 = ConvUnit(w3, neck, 1), ConvUnit(w2, neck, 1)
        self.merge16, self.merge8 = separable(neck, neck), separable(neck, neck)
        self.down16, self.down32 = separable(neck, neck, 3, 2), separable(neck, neck, 3, 2)
        self.heads = nn.ModuleList(self.head(neck) for _ in STRIDES)
        points, strides = anchor_points(INPUT_SIZE)
        self.register_buffer("points", points[None], persistent=False)
        self.register_buffer("reach", REACH * strides[None], persistent=False)

    @staticmethod
    def head(width):
        head = nn.ModuleDict({"box": separable(width, width, 5), "label": separable(width, width, 5)})
        head["sides"], head["scores"] = nn.Conv2d(width, 4, 1), nn.Conv2d(width, len(LABELS), 1)
        nn.init.constant_(head["sides"].bias, -2.0)
        nn.init.constant_(head["scores"].bias, -4.6)
        return head

    def features(self, x):
        c8 = self.stage8(self.stem(x))
        c16 = self.stage16(c8)
        c32 = self.squeeze(self.stage32(c16))
        p32 = self.pool(c32)
        p32 = self.lateral32(torch.cat([c32, p32, self.pool(p32)], 1))
        p16 = self.merge16(self.lateral16(c16) + F.interpolate(p32, scale_factor=2.0))
        p8 = self.merge8(self.lateral8(c8) + F.interpolate(p16, scale_factor=2.0))
        p16 = p16 + self.down16(p8)
        return p8, p16, p32 + self.down32(p16)

    def raw(self, x, size):
        """Logits [batch, 4 + labels, anchors]: left, top, right, bottom, then the labels."""
        outputs = []
        for level, head, stride in zip(self.features(x), self.heads, STRIDES):
            out = torch.cat([head["sides"](head["box"](level)), head["scores"](head["label"](level))], 1)
            outputs.append(out.reshape(-1, 4 + len(LABELS), (size // stride) ** 2))
        return torch.cat(outputs, 2)

    def forward(self, x):
        """Decoded [batch, 4 + labels, anchors]: cx, cy, w, h in pixels, then probabilities."""
        out = self.raw(x, INPUT_SIZE).sigmoid()
        low, high = out[:, :2] * self.reach, out[:, 2:4] * self.reach
        return torch.cat([self.points + (high - low) * 0.5, low + high, out[:, 4:]], 1)


def anchor_points(size):
    """Centres [2, anchors] of all grid cells in pixels, and their strides [1, anchors]."""
    points, strides = [], []
    for stride in STRIDES:
        line = (torch.arange(size // stride) + 0.5) * stride
        ys, xs = torch.meshgrid(line, line, indexing="ij")
        points.append(torch.stack([xs.flatten(), ys.flatten()]))
        strides.append(torch.full((1, xs.numel()), float(stride)))
    return torch.cat(points, 1), torch.cat(strides, 1)



def box_iou(a, b, generalised=False):
    """IoU (or GIoU) of boxes x1, y1, x2, y2 in the last dimension, broadcast."""
    sides = torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])
    shared = sides.clamp(min=0).prod(-1)
    union = (a[..., 2:] - a[..., :2]).prod(-1) + (b[..., 2:] - b[..., :2]).prod(-1) - shared + 1e-6
    if not generalised:
        return shared / union
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1) + 1e-6
    return shared / union - (hull - union) / hull


def assign(scores, boxes, points, targets, keep=8):
    """Task-aligned assignment: each object takes the `keep` cells that fit it best.

    Returns per cell the index of its object and a target score (0: background).
    """
    labels, wanted = targets[..., 0].long(), targets[..., 1:]
    centres, half = (wanted[..., :2] + wanted[..., 2:]) / 2, (wanted[..., 2:] - wanted[..., :2]) / 2
    offset = (points.T[None, None] - centres[:, :, None]).abs()
    inside = (offset < half.clamp(min=6)[:, :, None]).all(-1) & (labels >= 0)[..., None]
    iou = box_iou(boxes[:, None], wanted[:, :, None])
    score = scores.gather(1, labels.clamp(min=0)[..., None].expand(-1, -1, scores.shape[2]))
    near = torch.exp(-offset.sum(-1) / half.sum(-1).clamp(min=4)[..., None])
    metric = (score.sqrt() * iou**4 + 1e-4 * near) * inside
    floor = metric.topk(keep, -1).values[..., -1:]
    metric = metric * (metric >= floor)
    fit = metric / metric.amax(-1, keepdim=True).clamp(min=1e-9)
    best = (iou * (metric > 0)).amax(-1, keepdim=True)
    weight = fit * best.clamp(min=0.05).sqrt() * (metric > 0)
    owner = metric.argmax(1)
    return owner, weight.gather(1, owner[:, None])[:, 0]


def detection_loss(raw, size, targets):
    points, strides = anchor_points(size)
    sides = raw[:, :4].sigmoid() * REACH * strides
    boxes = torch.cat([points - sides[:, :2], points + sides[:, 2:]], 1).transpose(1, 2)
    logits = raw[:, 4:]
    with torch.no_grad():
        index, weight = assign(logits.sigmoid(), boxes, points, targets)
        owner = targets.gather(1, index[..., None].expand(-1, -1, 5))
        hot = F.one_hot(owner[..., 0].long().clamp(min=0), len(LABELS)).transpose(1, 2)
        wanted_scores = hot * weight[:, None]
    total = weight.sum().clamp(min=1)
    label_loss = F.binary_cross_entropy_with_logits(logits, wanted_scores, reduction="sum") / total
    chosen = weight > 0
    giou = box_iou(boxes[chosen], owner[..., 1:][chosen], generalised=True)
    return label_loss + 3 * ((1 - giou) * weight[chosen]).sum() / total



def non_maximum_suppression(output, threshold=0.01, limit=0.6):
    """Rows label, score, x1, y1, x2, y2 of one picture's output [4 + labels, anchors]."""
    kept = []
    for label in range(len(LABELS)):
        found = torch.from_numpy(output[:, output[4 + label] > threshold]).T
        found = found[found[:, 4 + label].argsort(descending=True)]
        centre, half = found[:, :2], found[:, 2:4] / 2
        rest = torch.cat([centre - half, centre + half, found[:, 4 + label, None]], 1)
        while len(rest):
            kept.append([label, rest[0, 4].item(), *rest[0, :4].tolist()])
            rest = rest[1:][box_iou(rest[0, :4], rest[1:, :4]) < limit]
    return np.array(kept, np.float32).reshape(-1, 6)


def average_precision(found, truth):
    """AP@0.5 of one label; `found`: picture, score, box rows; `truth`: a list of boxes per picture."""
    taken = [np.zeros(len(boxes), bool) for boxes in truth]
    hits = []
    for picture, _, *box in sorted(found, key=lambda row: -row[1]):
        ious = box_iou(torch.tensor(box), torch.from_numpy(truth[picture]))
        best = int(ious.argmax()) if len(ious) else -1
        hits.append(best >= 0 and ious[best].item() >= 0.5 and not taken[picture][best])
        if hits[-1]:
            taken[picture][best] = True
    true = np.cumsum(hits)
    precision = true / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float((precision * hits).sum() / sum(map(len, truth)))


def evaluate(path):
    """Prints AP@0.5 of an ONNX file on the held-out pictures and returns their mean."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    pictures, truth = draw_chunk(HELD_OUT_SEED, 0, HELD_OUT_PICTURES, INPUT_SIZE)
    spent, found, false_alarms = 0.0, [], 0
    for picture, rows in zip(pictures, truth):
        feed = picture.transpose(2, 0, 1)[None].astype(np.float32) / 255
        start = time.perf_counter()
        output = session.run(None, {"images": feed})[0][0]
        spent += time.perf_counter() - start
        found.append(non_maximum_suppression(output))
        false_alarms += len(rows) == 0 and bool((found[-1][:, 1] > 0.5).any())
    precisions = []
    for label, name in enumerate(LABELS):
        ours = [(i, *row[1:]) for i, rows in enumerate(found) for row in rows if row[0] == label]
        wanted = [rows[rows[:, 0] == label, 1:] for rows in truth]
        precisions.append(average_precision(ours, wanted))
        print(f"AP@0.5 {name}: {precisions[-1]:.4f} ({sum(map(len, wanted))} objects)")
    empty = sum(len(rows) == 0 for rows in truth)
    print(f"pictures without an object but with a box above 0.5: {false_alarms} of {empty}")
    print(f"{1000 * spent / len(pictures):.2f} ms a picture (onnxruntime, one thread)")
    print(f"held-out mAP@0.5: {np.mean(precisions):.4f} (seed {HELD_OUT_SEED}, {len(pictures)} pictures)")
    return float(np.mean(precisions))



def export(net, path):
    """Writes `net` with fused batch normalisation as ONNX, batch axis free."""
    net = deepcopy(net).eval()
    for unit in [module for module in net.modules() if isinstance(module, ConvUnit)]:
        unit.fuse()
    names = {"input_names": ["images"], "output_names": ["output0"]}
    axes = {"images": {0: "batch"}, "output0": {0: "batch"}}
    sample = torch.zeros(1, 3, INPUT_SIZE, INPUT_SIZE)
    torch.onnx.export(net, sample, str(path), dynamic_axes=axes, opset_version=17, dynamo=False, **names)
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {"names": str(dict(enumerate(LABELS))), "task": "detect"})
    shape = model.graph.output[0].type.tensor_type.shape
    shape.dim[1].dim_value, shape.dim[2].dim_value = 4 + len(LABELS), net.points.shape[2]
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
    parameters = sum(weight.numel() for weight in net.parameters())
    print(f"{path.name}: {parameters} parameters, {path.stat().st_size} bytes", flush=True)


def update_average(average, net, step):
    """Exponential moving average of the weights, faster at the beginning."""
    rate = min(0.998, (step + 1) / (step + 20))
    with torch.no_grad():
        for kept, new in zip(average.state_dict().values(), net.state_dict().values()):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - rate)
            else:
                kept.copy_(new)


def learning_rate(step, steps, peak):
    return peak * min(1, (step + 1) / 100) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def train(options):
    torch.manual_seed(options.seed)
    net = ShapesNet().to(memory_format=torch.channels_last)
    average = deepcopy(net).eval()
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=0.01, fused=True)
    executor = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"))
    switch, pool, started, shown = int(options.steps * 0.78), None, time.monotonic(), 0.0
    for step in range(options.steps):
        if step in (0, switch):
            pool = PicturePool(executor, options.seed, 192 if step < switch else INPUT_SIZE)
        images, targets = pool.batch(options.batch)
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, options.steps, 3e-3)
        loss = detection_loss(net.raw(images, pool.size), pool.size, targets)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimiser.step()
        update_average(average, net, step)
        shown += loss.item()
        if (step + 1) % 100 == 0:
            minutes = (time.monotonic() - started) / 60
            print(f"step {step + 1}/{options.steps} loss {shown / 100:.3f} {minutes:.1f} min", flush=True)
            shown = 0.0
        if step + 1 in (options.steps // 4, options.steps):
            export(average, options.output)
    executor.shutdown(cancel_futures=True)


def main():
    parser = argparse.ArgumentParser(description="Trains or evaluates the shapes detector.")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("shapes.onnx"))
    parser.add_argument("--evaluate", type=Path, metavar="ONNX", help="only evaluate this file")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    if options.evaluate is None:
        train(options)
        options.output.with_name("shapes.txt").write_text("\n".join(LABELS) + "\n")
    evaluate(options.evaluate or options.output)


if __name__ == "__main__":
    main()
