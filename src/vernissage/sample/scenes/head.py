"""The head of a sitter: face, hair, hat."""

from vernissage.sample.canvas import Canvas
from vernissage.sample.outlines import bend, limb, oval, placed, smooth
from vernissage.sample.palettes import Array
from vernissage.sample.view import Facts, Ramps


def paint_part(
    c: Canvas,
    outline: list[list[float]],
    x: float,
    y: float,
    size: float,
    turn: float,
    ramp: Array,
    tone: float,
    light: float,
    soft: float = 0.0,
    alpha: float = 1.0,
    angle: float = 1.3,
) -> None:
    c.shape(
        placed(smooth(outline, 6), x, y, turn, size),
        ramp,
        tone,
        light=light,
        soft=soft,
        alpha=alpha,
        angle=angle,
        detail=0.6,
    )


def paint_face(c: Canvas, p: Ramps, x: float, y: float, size: float, turn: float, side: int) -> None:
    skin = p["skin"]
    face = [
        [0, -1.32],
        [0.62, -1.15],
        [0.88, -0.5],
        [0.86, 0.15],
        [0.62, 0.85],
        [0.24, 1.24],
        [-0.24, 1.24],
        [-0.62, 0.85],
        [-0.86, 0.15],
        [-0.88, -0.5],
        [-0.62, -1.15],
    ]
    paint_part(c, face, x, y, size, turn, skin, 0.56, 0.2)
    shade = [
        [-side * 0.3, -1.2],
        [-side * 0.86, -0.5],
        [-side * 0.84, 0.2],
        [-side * 0.55, 0.92],
        [-side * 0.14, 1.22],
        [-side * 0.36, 0.4],
        [-side * 0.42, -0.3],
    ]
    paint_part(c, shade, x, y, size, turn, skin, 0.34, 0.04, soft=size * 0.11, alpha=0.75)
    paint_part(
        c,
        [[side * 0.2, -1.05], [side * 0.62, -0.8], [side * 0.6, -0.45], [side * 0.15, -0.6]],
        x,
        y,
        size,
        turn,
        skin,
        0.82,
        0.05,
        soft=size * 0.12,
        alpha=0.7,
    )
    paint_part(
        c,
        [[side * 0.38, 0.12], [side * 0.7, 0.1], [side * 0.6, 0.5], [side * 0.36, 0.46]],
        x,
        y,
        size,
        turn,
        p["accent"],
        0.62,
        0.05,
        soft=size * 0.13,
        alpha=0.32,
    )
    gaze = -side * 0.05
    for eye in (-1, 1):
        socket = [[eye * 0.14, -0.2], [eye * 0.4, -0.34], [eye * 0.68, -0.2], [eye * 0.42, -0.02]]
        paint_part(c, socket, x, y, size, turn, skin, 0.32, 0.0, soft=size * 0.07, alpha=0.6)
        almond = [[eye * 0.2, -0.12], [eye * 0.4, -0.24], [eye * 0.62, -0.13], [eye * 0.4, -0.04]]
        paint_part(c, almond, x, y, size, turn, p["light"], 0.7, 0.05)
        iris = placed([[eye * 0.4 + gaze, -0.135]], x, y, turn, size)[0]
        c.shape(oval(iris[0], iris[1], size * 0.1, size * 0.105), p["dark"], 0.22, detail=1)
        c.shape(
            oval(iris[0] + side * size * 0.035, iris[1] - size * 0.04, size * 0.025, size * 0.025),
            p["light"],
            0.95,
            detail=1,
        )
        lid = placed(bend(eye * 0.17, -0.12, eye * 0.66, -0.13, -0.24 * eye, 9), x, y, turn, size)
        c.shape(limb(lid, size * 0.06, size * 0.03), p["dark"], 0.24, detail=1)
        brow = placed(bend(eye * 0.14, -0.4, eye * 0.72, -0.38, -0.2 * eye, 9), x, y, turn, size)
        c.shape(limb(brow, size * 0.09, size * 0.035), p["dark"], 0.26, detail=1, alpha=0.85)
    paint_part(
        c,
        [[-side * 0.04, -0.3], [-side * 0.2, 0.34], [-side * 0.17, 0.46], [0.0, 0.47], [side * 0.02, 0.0]],
        x,
        y,
        size,
        turn,
        skin,
        0.36,
        0.0,
        soft=size * 0.03,
        alpha=0.75,
    )
    paint_part(
        c,
        [[side * 0.03, -0.3], [side * 0.09, 0.3], [side * 0.14, 0.42], [0.0, 0.4], [-side * 0.03, -0.1]],
        x,
        y,
        size,
        turn,
        skin,
        0.8,
        0.0,
        soft=size * 0.03,
        alpha=0.7,
    )
    for wing in (-1, 1):
        spot = placed([[wing * 0.11, 0.455]], x, y, turn, size)[0]
        c.shape(oval(spot[0], spot[1], size * 0.045, size * 0.025), p["dark"], 0.3, detail=1, alpha=0.8)
    lips = 0.35 * p["accent"] + 0.35 * p["skin"] + 0.3 * p["wall"]
    paint_part(
        c,
        [[-0.29, 0.77], [-0.09, 0.69], [0.0, 0.72], [0.09, 0.69], [0.29, 0.77], [0.0, 0.8]],
        x,
        y,
        size,
        turn,
        lips,
        0.36,
        0.05,
    )
    paint_part(
        c, [[-0.27, 0.78], [0.0, 0.8], [0.27, 0.78], [0.12, 0.9], [-0.12, 0.9]], x, y, size, turn, lips, 0.48, 0.1
    )
    paint_part(
        c, [[-0.16, 0.97], [0.16, 0.97], [0.0, 1.03]], x, y, size, turn, skin, 0.38, 0.0, soft=size * 0.04, alpha=0.6
    )


def paint_hair(
    c: Canvas, p: Ramps, x: float, y: float, size: float, turn: float, facts: Facts, hair: Array, tone: float
) -> None:
    parting = 0.25
    if facts["kind"] == 0:
        for side in (-1, 1):
            lock = [
                [parting, -1.42],
                [side * 0.7, -1.28],
                [side * 1.0, -0.6],
                [side * 1.02, 0.3],
                [side * 0.86, 0.55],
                [side * 0.82, -0.2],
                [side * 0.6, -0.72],
                [side * 0.2, -1.0],
            ]
            paint_part(c, lock, x, y, size, turn, hair, tone + 0.04, 0.16)
        if not facts["hat"]:
            c.shape(placed(oval(0.1, -1.66, 0.46, 0.34), x, y, turn, size), hair, tone + 0.04, light=0.2)
    else:
        cap = [
            [-0.93, -0.35],
            [-0.98, -0.9],
            [-0.6, -1.45],
            [0.1, -1.58],
            [0.72, -1.38],
            [1.0, -0.85],
            [0.93, -0.35],
            [0.76, -0.7],
            [0.5, -1.0],
            [-0.3, -1.04],
            [-0.74, -0.72],
        ]
        paint_part(c, cap, x, y, size, turn, hair, tone, 0.16)
    for k in range(7):
        start = placed([[parting - 0.1 + 0.05 * k, -1.36], [(-0.75 + 0.25 * k), -0.92]], x, y, turn, size)
        c.shape(
            limb(bend(start[0, 0], start[0, 1], start[1, 0], start[1, 1], 0.1), size * 0.05, size * 0.02),
            hair,
            tone + 0.2,
            alpha=0.5,
            soft=0.6,
        )
    if facts["kind"] == 2:
        beard = [
            [-0.8, 0.1],
            [-0.6, 0.58],
            [-0.3, 0.62],
            [0.0, 0.56],
            [0.3, 0.62],
            [0.6, 0.58],
            [0.8, 0.1],
            [0.86, 0.75],
            [0.5, 1.6],
            [0.0, 1.95],
            [-0.5, 1.6],
            [-0.86, 0.75],
        ]
        paint_part(c, beard, x, y, size, turn, hair, tone, 0.18)
        for k in range(11):
            sx = -0.6 + 0.12 * k
            thread = placed(bend(sx, 0.7, sx * 0.6, 1.65 - abs(sx) * 0.5, 0.1), x, y, turn, size)
            c.shape(limb(thread, size * 0.05, size * 0.02), hair, tone + (0.18 if k % 2 else -0.18), alpha=0.55)
        mouth = placed(bend(-0.2, 0.8, 0.2, 0.8, 0.1), x, y, turn, size)
        c.shape(limb(mouth, size * 0.07, size * 0.07), p["accent"], 0.36, detail=1)


def paint_hat(c: Canvas, p: Ramps, x: float, y: float, size: float, turn: float, kind: int, coat: Array) -> None:
    if kind == 0:
        ramp, band, brim = p["glow"], p["accent"], 1.75
    else:
        ramp, band, brim = p["dark"], coat, 1.3
    tone = 0.58 if kind == 0 else 0.3
    paint_part(
        c,
        [[-0.85, -0.92], [-0.8, -1.7], [-0.3, -1.95], [0.35, -1.95], [0.82, -1.7], [0.85, -0.92]],
        x,
        y,
        size,
        turn,
        ramp,
        tone,
        0.2,
    )
    paint_part(
        c,
        [[-0.87, -1.2], [0, -1.06], [0.87, -1.2], [0.87, -0.92], [0, -0.8], [-0.87, -0.92]],
        x,
        y,
        size,
        turn,
        band,
        0.4,
        0.16,
    )
    paint_part(
        c,
        [
            [-brim, -0.84],
            [-0.7, -1.04],
            [0, -0.92],
            [0.7, -1.04],
            [brim, -0.84],
            [0.8, -0.72],
            [0, -0.66],
            [-0.8, -0.72],
        ],
        x,
        y,
        size,
        turn,
        ramp,
        tone + 0.02,
        0.2,
        angle=0.1,
    )
