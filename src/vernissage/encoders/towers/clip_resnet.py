"""The ResNets that read pictures in CLIP: Radford et al., ICML 2021, arXiv 2103.00020, section 2.4.

Unlike He et al.'s: three convolutions at the start, average pooling before every convolution that would have a stride
(Zhang 2019), and attention in place of the mean over the picture, whose query is that mean. Modules have the names of
the original code, so that its weights fill them as they are. This imports torch: it is imported where weights are read.
"""

import math
from collections.abc import Mapping
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional

from vernissage.encoders.runtime.weights import numbers_behind
from vernissage.errors import EncoderError

_HEAD_WIDTH = 64
_EXPANSION = 4
_SHRINKS = 32
"""By how much a picture is smaller, each way, where attention reads it."""

_KNOWN: Mapping[tuple[int, ...], str] = {
    (3, 4, 6, 3): "RN50", (3, 4, 23, 3): "RN101", (4, 6, 10, 6): "RN50x4", (6, 8, 18, 8): "RN50x16",
    (3, 15, 36, 10): "RN50x64",
}  # fmt: skip
"""What the published ones are called, by the number of blocks in each stage."""


class _Bottleneck(nn.Module):
    def __init__(self, into: int, width: int, stride: int) -> None:
        super().__init__()
        out = width * _EXPANSION
        self.conv1, self.bn1 = nn.Conv2d(into, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, out, 1, bias=False), nn.BatchNorm2d(out)
        self.pool = nn.AvgPool2d(stride)
        if stride > 1 or into != out:
            self.downsample = nn.Sequential(nn.Conv2d(into, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        found = functional.relu(self.bn1(self.conv1(given)))
        found = self.pool(functional.relu(self.bn2(self.conv2(found))))
        found = self.bn3(self.conv3(found))
        beside = self.downsample(self.pool(given)) if hasattr(self, "downsample") else given
        return functional.relu(found + beside)


class _AttentionPool(nn.Module):
    def __init__(self, places: int, width: int, dim: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.empty(places, width))
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, width) for _ in range(3))
        self.c_proj = nn.Linear(width, dim)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """From (n, width, height, width) to (n, dim)."""
        rows = states.flatten(2).transpose(1, 2)
        rows = torch.cat([rows.mean(dim=1, keepdim=True), rows], dim=1) + self.positional_embedding
        parts = (self.q_proj(rows[:, :1]), self.k_proj(rows), self.v_proj(rows))
        heads = (part.unflatten(2, (-1, _HEAD_WIDTH)).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(1)
        pooled: torch.Tensor = self.c_proj(seen)
        return pooled


class ClipResNet(nn.Module):
    """Pictures (n, 3, side, side) to vectors (n, dim), in place of transformers' vision model and projection.

    Attributes:
        variant: what the published one of these sizes is called, such as ``RN50``.
        side: of a picture, in pixels.
        dim: of a vector.
    """

    def __init__(self, depths: tuple[int, ...], width: int, places: int, dim: int) -> None:
        super().__init__()
        self.variant = _KNOWN.get(depths, f"ResNet {'-'.join(map(str, depths))}")
        self.side, self.dim = math.isqrt(places - 1) * _SHRINKS, dim
        self.conv1 = nn.Conv2d(3, width // 2, 3, stride=2, padding=1, bias=False)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn1, self.bn2, self.bn3 = (nn.BatchNorm2d(each) for each in (width // 2, width // 2, width))
        into = width
        for stage, depth in enumerate(depths):
            blocks: list[nn.Module] = []
            for block in range(depth):
                blocks.append(_Bottleneck(into, width << stage, 2 if stage and not block else 1))
                into = (width << stage) * _EXPANSION
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
        self.attnpool = _AttentionPool(places, into, dim)

    @classmethod
    def of_tensors(cls, tensors: Mapping[str, torch.Tensor], prefix: str) -> "ClipResNet":
        """One of the sizes that the shapes of tensors under ``prefix`` imply, not filled yet.

        Raises:
            EncoderError: tensors are missing that tell them.
        """
        stages = len(numbers_behind(tensors, rf"{prefix}layer(\d+)\."))
        depths = (len(numbers_behind(tensors, rf"{prefix}layer{each + 1}\.(\d+)\.")) for each in range(stages))
        try:
            width, places = (len(tensors[prefix + key]) for key in ("conv3.weight", "attnpool.positional_embedding"))
            return cls(tuple(depths), width, places, len(tensors[f"{prefix}attnpool.c_proj.weight"]))
        except KeyError as error:
            raise EncoderError(
                f"a CLIP with a ResNet lacks {error.args[0]}; get the whole state dict of the original model anew"
            ) from None

    def forward(self, pixel_values: torch.Tensor, **_: object) -> SimpleNamespace:
        found = pixel_values
        for conv, norm in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            found = functional.relu(norm(conv(found)))
        found = functional.avg_pool2d(found, 2)
        for name, stage in self.named_children():
            if name.startswith("layer"):
                found = stage(found)
        return SimpleNamespace(pooler_output=self.attnpool(found))
