#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR Apache-2.0
"""Train the shapes detector: a tiny YOLOv8-style network that finds balls, squares and triangles.

Nothing here is needed to build or to run livetune: the trained file, shapes.onnx, lies beside
this script. It was trained only on pictures that the script draws itself: shapes over flat,
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
import io
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
from PIL import Image, ImageDraw, ImageFilter
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

LABELS = ("ball", "square", "triangle")
BALL, SQUARE, TRIANGLE = range(3)
INPUT_SIZE = 320
GREY = 114
STRIDES = (8, 16, 32)
REACH = 8  # the farthest side of a box from its cell's centre, in strides
HELD_OUT_SEED = 20_240_607
HELD_OUT_PICTURES = 1000
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def random_colour(rng):
    """A colour, with black, white and greys drawn more often than a uniform choice would."""
    kind = rng.random()
    if kind < 0.12:
        return np.full(3, rng.choice([0.0, 255.0]), np.float32)
    if kind < 0.25:
        return np.full(3, rng.uniform(0, 255), np.float32)
    return rng.uniform(0, 255, 3).astype(np.float32)


def fill_flat(rng, height, width):
    return np.broadcast_to(random_colour(rng), (height, width, 3)).copy()


def blend_colours(rng, amount):
    """Mixes two random colours by `amount` (height x width, 0..1)."""
    first, second = random_colour(rng), random_colour(rng)
    return first + (second - first) * amount[..., None].astype(np.float32)


def fill_gradient(rng, height, width):
    angle = rng.uniform(0, 2 * math.pi)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    ramp = xs * math.cos(angle) + ys * math.sin(angle)
    return blend_colours(rng, (ramp - ramp.min()) / (np.ptp(ramp) + 1e-6))


def fill_noise(rng, height, width):
    """Snow, grey or coloured, over a flat colour."""
    channels = rng.choice([1, 3])
    snow = rng.uniform(0, 255, (height, width, channels)).astype(np.float32)
    strength = 1.0 if rng.random() < 0.3 else rng.uniform(0.1, 0.6)
    return fill_flat(rng, height, width) * (1 - strength) + snow * strength


def fill_stripes(rng, height, width):
    angle = rng.choice([0.0, math.pi / 2, rng.uniform(0, math.pi)])
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    wave = np.sin((xs * math.cos(angle) + ys * math.sin(angle)) * 2 * math.pi / rng.uniform(6, 80))
    return blend_colours(rng, wave > 0 if rng.random() < 0.6 else 0.5 + 0.5 * wave)


def fill_checkers(rng, height, width):
    cell = rng.uniform(4, 50)
    ys, xs = np.mgrid[0:height, 0:width]
    return blend_colours(rng, ((xs // cell + ys // cell) % 2))


def fill_texture(rng, height, width):
    """Blurred random texture: octaves of enlarged noise."""
    amount = np.zeros((height, width), np.float32)
    for octave in range(rng.integers(1, 4)):
        cells = rng.integers(2, 8) * 2**octave
        noise = Image.fromarray(rng.uniform(0, 1, (cells, cells)).astype(np.float32))
        amount += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC)) / 2**octave
    return blend_colours(rng, np.clip(amount / max(amount.max(), 1e-6), 0, 1))


def fill_bars(rng, height, width):
    """Colour bars in three rows: half of the time the SMPTE layout, else random ones."""
    level = rng.choice([191, 255])
    top = [(1, 1, 1), (1, 1, 0), (0, 1, 1), (0, 1, 0), (1, 0, 1), (1, 0, 0), (0, 0, 1)]
    middle = [(0, 0, 1), (0, 0, 0), (1, 0, 1), (0, 0, 0), (0, 1, 1), (0, 0, 0), (1, 1, 1)]
    picture = np.zeros((height, width, 3), np.float32)
    if rng.random() < 0.5:
        rows = [0, height * 2 // 3, height * 3 // 4, height]
        bottom = [(0, 0, 0.5), (1, 1, 1), (0, 0.5, 1), (0, 0, 0), (0, 0, 0), (0, 0, 0)]
        bars = [np.array(row, np.float32) * level for row in (top, middle, bottom)]
    else:
        rows = [0, *sorted(rng.integers(0, height, 2)), height]
        bars = [[random_colour(rng) for _ in range(rng.integers(1, 10))] for _ in range(3)]
    for start, end, colours in zip(rows, rows[1:], bars):
        edges = np.linspace(0, width, len(colours) + 1).astype(int)
        for left, right, colour in zip(edges, edges[1:], colours):
            picture[start:end, left:right] = colour
    if rng.random() < 0.7:
        corner = picture[rows[2] :, width * 3 // 4 :]
        corner[:] = rng.uniform(0, 255, corner.shape[:2] + (1,))
    return picture


FILLS = (fill_flat, fill_gradient, fill_noise, fill_stripes, fill_checkers, fill_texture, fill_bars)
FILL_ODDS = (0.22, 0.15, 0.12, 0.12, 0.09, 0.15, 0.15)


def as_image(picture):
    return Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8))


def add_clutter(rng, picture):
    """Lines, outlines of rectangles, long bars and arcs: things that are no object."""
    height, width = picture.shape[:2]
    image = as_image(picture)
    pen = ImageDraw.Draw(image)
    for _ in range(rng.integers(1, 8)):
        colour = tuple(int(c) for c in random_colour(rng))
        x, y = int(rng.uniform(0, width)), int(rng.uniform(0, height))
        w, h = int(rng.uniform(8, width / 2)), int(rng.uniform(8, height / 2))
        thick, kind = int(rng.integers(1, 4)), rng.integers(0, 4)
        if kind == 0:
            pen.line([x, y, int(rng.uniform(0, width)), int(rng.uniform(0, height))], colour, thick)
        elif kind == 1:
            pen.rectangle([x, y, x + w, y + h], outline=colour, width=thick)
        elif kind == 2:
            long, short = max(w, h), max(2, int(max(w, h) / rng.uniform(2.2, 8)))
            w, h = (long, short) if rng.random() < 0.5 else (short, long)
            pen.rectangle([x, y, x + w, y + h], fill=colour)
        else:
            start = rng.uniform(0, 360)
            pen.arc([x, y, x + w, y + h], start, start + rng.uniform(40, 180), colour, thick)
    return np.asarray(image, np.float32)



def outline_points(rng, label, size):
    """Corners (around 0, 0) of a square or triangle whose box has `size` as its longer side."""
    if label == SQUARE:
        points = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
        points *= [1, rng.uniform(0.88, 1.12)]
    else:
        angles = np.radians([90, 210, 330] + rng.uniform(-14, 14, 3))
        points = np.stack([np.cos(angles), -np.sin(angles)], 1)
    turn = 0 if rng.random() < 0.35 else rng.uniform(0, 2 * math.pi)
    cos, sin = math.cos(turn), math.sin(turn)
    points = points @ np.array([[cos, sin], [-sin, cos]])
    low, high = points.min(0), points.max(0)
    return (points - (low + high) / 2) * size / (high - low).max()


def polygon_distance(xs, ys, points):
    """Signed distance-like field of a convex polygon: negative inside."""
    ends = np.roll(points, -1, 0)
    edges = ends - points
    clockwise = np.sign(np.sum(points[:, 0] * ends[:, 1] - points[:, 1] * ends[:, 0]))
    field = np.full(xs.shape, -np.inf, np.float32)
    for (px, py), (ex, ey) in zip(points, edges):
        across = ((xs - px) * ey - (ys - py) * ex) * clockwise / math.hypot(ex, ey)
        np.maximum(field, across, out=field)
    return field


def contrasting_colour(rng, region):
    """A random colour whose brightness differs well from the mean of `region`."""
    mean = region.reshape(-1, 3).mean(0)
    for _ in range(10):
        colour = random_colour(rng)
        if abs((colour - mean) @ LUMA) > 40:
            return colour
    return np.full(3, 255.0 if mean @ LUMA < 128 else 0.0, np.float32)


def object_paint(rng, region, xs, ys, field, size):
    """Colours of an object: flat, shaded, or flat with a border."""
    colour = contrasting_colour(rng, region)
    style = rng.random()
    if style < 0.3:
        angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(10, 60)
        shade = (xs * math.cos(angle) + ys * math.sin(angle)) / size * strength
        return np.clip(colour + shade[..., None], 0, 255)
    if style < 0.45 and size > 14:
        border = contrasting_colour(rng, region)
        return np.where((field > -rng.uniform(1, size / 8))[..., None], border, colour)
    return colour


def paint_object(rng, picture, label, centre, size, paint=None, softness=None):
    """Paints one object and returns its box x1, y1, x2, y2, cut to the picture."""
    height, width = picture.shape[:2]
    if label == BALL:
        half = np.array([1, rng.uniform(0.92, 1.08)] if paint is None else [1, 1]) * size / 2
    else:
        points = outline_points(rng, label, size)
        half = points.max(0)
    left, top = np.maximum(np.floor(centre - half - 2), 0).astype(int)
    right, bottom = np.minimum(np.ceil(centre + half + 2), [width, height]).astype(int)
    ys, xs = np.mgrid[top:bottom, left:right].astype(np.float32) + 0.5
    xs, ys = xs - centre[0], ys - centre[1]
    if label == BALL:
        field = (np.hypot(xs / half[0], ys / half[1]) - 1) * half.min()
    else:
        field = polygon_distance(xs, ys, points)
    region = picture[top:bottom, left:right]
    colours = object_paint(rng, region, xs, ys, field, size) if paint is None else paint
    alpha = np.clip(0.5 - field / (softness or rng.uniform(0.7, 2)), 0, 1)[..., None]
    region += (colours - region) * alpha
    return np.concatenate([np.maximum(centre - half, 0), np.minimum(centre + half, [width, height])])


def overlaps(box, others):
    """Whether `box` covers more than a tenth of another box, or is covered so."""
    for other in others:
        sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
        smaller = min(np.prod(box[2:] - box[:2]), np.prod(other[2:] - other[:2]))
        if sides.min() > 0 and sides.prod() > 0.1 * smaller:
            return True
    return False


def paint_objects(rng, picture, count):
    """Paints up to `count` objects that hardly overlap; returns rows label, x1, y1, x2, y2."""
    extent = np.array(picture.shape[1::-1], np.float32)
    boxes = []
    for _ in range(count):
        label = int(rng.integers(0, len(LABELS)))
        smallest = 8 if label == BALL else 10
        largest = min(200, extent.min() * 0.95)
        for _ in range(10):
            size = math.exp(rng.uniform(math.log(smallest), math.log(largest)))
            margin = size * (0.3 if rng.random() < 0.1 else 0.55)
            centre = rng.uniform(np.minimum(margin, extent / 2), np.maximum(extent - margin, extent / 2))
            rough = np.concatenate([centre - size / 2, centre + size / 2])
            if not overlaps(rough, [np.array(box[1:]) for box in boxes]):
                boxes.append([label, *paint_object(rng, picture, label, centre, size)])
                break
    return boxes


def draw_test_ball(rng, height, width):
    """The look of `videotestsrc pattern=ball`: a disc of radius 20 at the source's own size."""
    scale = width / rng.choice([320, 352, 480, 640, 800, 960, 1280, 1280, 1600])
    if rng.random() < 0.6:
        picture, paint = np.zeros((height, width, 3), np.float32), np.full(3, 255.0)
    else:
        picture = fill_flat(rng, height, width)
        paint = contrasting_colour(rng, picture)
    radius = 19 * scale
    centre = rng.uniform(radius, [width - radius, height - radius])
    box = paint_object(rng, picture, BALL, centre, 2 * radius, paint, max(2 * scale, 0.9))
    return picture, [[BALL, *box]]



def degrade(rng, picture):
    """Brightness, rescaling, blur, noise and compression artefacts."""
    if rng.random() < 0.4:
        picture = (picture - 128) * rng.uniform(0.6, 1.15) + 128 + rng.uniform(-25, 25)
    if rng.random() < 0.1:
        picture = np.repeat((picture @ LUMA)[..., None], 3, 2)
    if rng.random() < 0.35:
        picture = picture + rng.normal(0, rng.uniform(1, 12), picture.shape)
    image = as_image(picture)
    if rng.random() < 0.2:
        full, factor = image.size, rng.uniform(0.65, 0.95)
        small = image.resize([round(side * factor) for side in full], Image.Resampling.BILINEAR)
        image = small.resize(full, Image.Resampling.BILINEAR)
    if rng.random() < 0.25:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.1)))
    if rng.random() < 0.5:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(rng.integers(25, 96)), subsampling=2)
        image = Image.open(buffer).convert("RGB")
    return np.asarray(image)


def draw_picture(rng, size):
    """One letterboxed picture (size x size x 3, uint8) and its rows label, x1, y1, x2, y2."""
    aspect = rng.choice([4 / 3, 4 / 3, 16 / 9, 16 / 9, 1.0, 3 / 4, 9 / 16, 2.2])
    width, height = round(size * min(1, aspect)), round(size * min(1, 1 / aspect))
    if rng.random() < 0.14:
        picture, boxes = draw_test_ball(rng, height, width)
    else:
        picture = FILLS[rng.choice(len(FILLS), p=FILL_ODDS)](rng, height, width)
        if rng.random() < 0.35:
            picture = add_clutter(rng, picture)
        count = 0 if rng.random() < 0.15 else rng.integers(1, 7)
        boxes = paint_objects(rng, picture, count)
    top, left = (size - height) // 2, (size - width) // 2
    canvas = np.full((size, size, 3), GREY, np.uint8)
    canvas[top : top + height, left : left + width] = degrade(rng, picture)
    rows = np.array(boxes, np.float32).reshape(-1, 5)
    rows[:, 1:] += [left, top, left, top]
    return canvas, rows


def draw_chunk(seed, chunk, count, size):
    """Pictures `chunk * count` and on of the endless series that `seed` starts."""
    seeds = [[seed, size, chunk * count + i] for i in range(count)]
    pictures, rows = zip(*[draw_picture(np.random.default_rng(seed), size) for seed in seeds])
    return np.stack(pictures), rows


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
