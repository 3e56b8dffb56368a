"""Golden pixels of the image processor, made by Pillow and transformers.

Versions: transformers 5.24.0, torch 2.13.0 (CPU), pillow 13.0.0, numpy 2.x, safetensors 0.8.0.
    python test/parity/make-image-processor.py

The processor is Qwen2VLImageProcessorPil, set as LLaVA-OneVision-1.5 sets it. Pictures of random
and of smooth pixels come from a formula that the test repeats; one JPEG is stored. Outputs are
stored as the bytes they were before normalisation (exactly invertible), one also as floats.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

processor = Qwen2VLImageProcessorPil(
    temporal_patch_size=1, size={"shortest_edge": 56 * 56, "longest_edge": 1600 * 1600}
)
SIZES = [(100, 80), (80, 100), (61, 203), (30, 40), (150, 90), (5, 700), (84, 56)]


def picture(index, height, width):
    """Even index: hashed noise. Odd: a smooth ramp with waves. Integer arithmetic only."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    y, x, c = (a.astype(np.uint64) for a in (y, x, c))
    if index % 2 == 0:
        n = ((y * np.uint64(width) + x) * np.uint64(3) + c + np.uint64(index * 7919)) & np.uint64(0xFFFFFFFF)
        n = (n * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)
        return ((n >> np.uint64(13)) & np.uint64(255)).astype(np.uint8)
    return ((x * np.uint64(3) + y * np.uint64(5) + c * np.uint64(40) + (x * y) // np.uint64(37)) % np.uint64(256)).astype(np.uint8)


def run(image):
    out = processor([image], return_tensors="np")
    values = out["pixel_values"].astype(np.float64)
    _, grid_h, grid_w = (int(v) for v in out["image_grid_thw"][0])
    planes = values.reshape(len(values), 3, -1)
    mean = np.array(processor.image_mean).reshape(1, 3, 1)
    std = np.array(processor.image_std).reshape(1, 3, 1)
    exact = (planes * std + mean) * 255
    bytes_ = np.rint(exact)
    assert np.abs(exact - bytes_).max() < 1e-3
    return bytes_.astype(np.uint8).reshape(values.shape), np.array([grid_h, grid_w], np.int32), values


golden = {}
for i, (height, width) in enumerate(SIZES):
    pixels, grid, values = run(Image.fromarray(picture(i, height, width)))
    golden[f"{i}/size"] = np.array([height, width], np.int32)
    golden[f"{i}/pixels"], golden[f"{i}/grid"] = pixels, grid
    if i == 3:
        golden[f"{i}/values"] = values.astype(np.float32)
stream = io.BytesIO()
smooth = Image.fromarray(picture(5, 97, 130)).resize((33, 25)).resize((130, 97), Image.BICUBIC)
smooth.save(stream, "JPEG", quality=88)
pixels, grid, _ = run(Image.open(io.BytesIO(stream.getvalue())).convert("RGB"))
golden["jpeg/file"] = np.frombuffer(stream.getvalue(), np.uint8)
golden["jpeg/pixels"], golden["jpeg/grid"] = pixels, grid
target = Path(__file__).parent / "golden" / "image-processor.safetensors"
save_file(golden, target)
print(f"{target}: {target.stat().st_size} bytes, {len(SIZES)} pictures and a JPEG")
