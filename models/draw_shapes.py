# SPDX-License-Identifier: MIT OR Apache-2.0
"""Draws the pictures that train_shapes.py trains on: shapes over varied backgrounds, with their boxes."""

import io
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

LABELS = ("ball", "square", "triangle")
BALL, SQUARE, TRIANGLE = range(3)
GREY = 114  # of the letterbox, as Ultralytics has it
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
