"""The face of a sitter: its light and shade, eyes, nose, mouth."""

from vernissage_lab.sample.canvas import Canvas
from vernissage_lab.sample.outlines import bend, oval
from vernissage_lab.sample.scenes.sitter import Pose, mirrored, paint_line, paint_part
from vernissage_lab.sample.view import Ramps

# Outlines in half heads from the middle of the head; those of one half are drawn for the right and mirrored.
_FACE = (
    (0, -1.32), (0.62, -1.15), (0.88, -0.5), (0.86, 0.15), (0.62, 0.85), (0.24, 1.24),
    (-0.24, 1.24), (-0.62, 0.85), (-0.86, 0.15), (-0.88, -0.5), (-0.62, -1.15),
)  # fmt: skip
_SHADE = (
    (-0.3, -1.2), (-0.86, -0.5), (-0.84, 0.2), (-0.55, 0.92), (-0.14, 1.22), (-0.36, 0.4), (-0.42, -0.3),
)  # fmt: skip
_FOREHEAD = ((0.2, -1.05), (0.62, -0.8), (0.6, -0.45), (0.15, -0.6))
_CHEEK = ((0.38, 0.12), (0.7, 0.1), (0.6, 0.5), (0.36, 0.46))
_SOCKET = ((0.14, -0.2), (0.4, -0.34), (0.68, -0.2), (0.42, -0.02))
_ALMOND = ((0.2, -0.12), (0.4, -0.24), (0.62, -0.13), (0.4, -0.04))
_NOSE_SHADE = ((-0.04, -0.3), (-0.2, 0.34), (-0.17, 0.46), (0.0, 0.47), (0.02, 0.0))
_NOSE_LIGHT = ((0.03, -0.3), (0.09, 0.3), (0.14, 0.42), (0.0, 0.4), (-0.03, -0.1))
_UPPER_LIP = ((-0.29, 0.77), (-0.09, 0.69), (0.0, 0.72), (0.09, 0.69), (0.29, 0.77), (0.0, 0.8))
_LOWER_LIP = ((-0.27, 0.78), (0.0, 0.8), (0.27, 0.78), (0.12, 0.9), (-0.12, 0.9))
_UNDER_LIP = ((-0.16, 0.97), (0.16, 0.97), (0.0, 1.03))


def paint_face(c: Canvas, p: Ramps, pose: Pose) -> None:
    """A long oval face, light on one side, with almond eyes."""
    _paint_light_and_shade(c, p, pose)
    for eye in (-1, 1):
        _paint_eye(c, p, pose, eye)
    _paint_nose(c, p, pose)
    _paint_mouth(c, p, pose)


def _paint_light_and_shade(c: Canvas, p: Ramps, pose: Pose) -> None:
    paint_part(c, pose, _FACE, p["skin"], 0.56, 0.2)
    paint_part(c, pose, mirrored(_SHADE, pose.side), p["skin"], 0.34, 0.04, soft=0.11, alpha=0.75)
    paint_part(c, pose, mirrored(_FOREHEAD, pose.side), p["skin"], 0.82, 0.05, soft=0.12, alpha=0.7)
    paint_part(c, pose, mirrored(_CHEEK, pose.side), p["accent"], 0.62, 0.05, soft=0.13, alpha=0.32)


def _paint_eye(c: Canvas, p: Ramps, pose: Pose, eye: int) -> None:
    """The left eye (-1) or the right (1), which looks a little away from the light."""
    side, size = pose.side, pose.size
    paint_part(c, pose, mirrored(_SOCKET, eye), p["skin"], 0.32, 0.0, soft=0.07, alpha=0.6)
    paint_part(c, pose, mirrored(_ALMOND, eye), p["light"], 0.7, 0.05)
    x, y = pose.place([[eye * 0.4 - side * 0.05, -0.135]])[0]
    c.shape(oval(x, y, size * 0.1, size * 0.105), p["dark"], 0.22, detail=1)
    glint = oval(x + side * size * 0.035, y - size * 0.04, size * 0.025, size * 0.025)
    c.shape(glint, p["light"], 0.95, detail=1)
    lid = bend(eye * 0.17, -0.12, eye * 0.66, -0.13, -0.24 * eye, 9)
    paint_line(c, pose, lid, p["dark"], 0.24, start=0.06, end=0.03, detail=1)
    brow = bend(eye * 0.14, -0.4, eye * 0.72, -0.38, -0.2 * eye, 9)
    paint_line(c, pose, brow, p["dark"], 0.26, start=0.09, end=0.035, alpha=0.85, detail=1)


def _paint_nose(c: Canvas, p: Ramps, pose: Pose) -> None:
    paint_part(c, pose, mirrored(_NOSE_SHADE, pose.side), p["skin"], 0.36, 0.0, soft=0.03, alpha=0.75)
    paint_part(c, pose, mirrored(_NOSE_LIGHT, pose.side), p["skin"], 0.8, 0.0, soft=0.03, alpha=0.7)
    for wing in (-1, 1):
        x, y = pose.place([[wing * 0.11, 0.455]])[0]
        c.shape(oval(x, y, pose.size * 0.045, pose.size * 0.025), p["dark"], 0.3, detail=1, alpha=0.8)


def _paint_mouth(c: Canvas, p: Ramps, pose: Pose) -> None:
    lips = 0.35 * p["accent"] + 0.35 * p["skin"] + 0.3 * p["wall"]
    paint_part(c, pose, _UPPER_LIP, lips, 0.36, 0.05)
    paint_part(c, pose, _LOWER_LIP, lips, 0.48, 0.1)
    paint_part(c, pose, _UNDER_LIP, p["skin"], 0.38, 0.0, soft=0.04, alpha=0.6)
