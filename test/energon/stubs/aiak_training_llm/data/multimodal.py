# The sample types that the original trainer's module would offer, so that Energon can build them.
from dataclasses import dataclass, field
from typing import Any

from megatron.energon import Sample


@dataclass
class PackedCaptioningSample(Sample):
    images: list
    prompts: list
    captions: list
    patch_positions: Any = field(default=None)
    fps: Any = field(default=None)
    timestamp_decimal: Any = field(default=None)


@dataclass
class MultiMixQASample(Sample):
    messages: list
    video: Any = None
    image: Any = None
    system: Any = None
