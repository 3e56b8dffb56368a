"""Golden tensors for the vision side: three epsilons, several images, the served slicing.

Versions: torch 2.13.0 (CPU), transformers 5.24.0, safetensors 0.8.0.
    pip install torch==2.13.0 transformers==5.24.0 safetensors==0.8.0
    python test/parity/make-vision.py

The tower is transformers' MLCDVisionModel with RICE-ViT's head size of 64; the merger is its
LayerNorm and its GELU, between identities. The norms' epsilons are those of the original's trainer (1e-4 after the embedding,
1e-5 in the blocks, 1e-6 in the merger) and pixels are faint, so that each of them matters. Images
run one by one. `features` takes the class rows out correctly; `served` takes rows
[start + 1, end + 1) of all rows, start and end counted before class rows were put in, as the
released remote code does.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import MLCDVisionConfig, MLCDVisionModel

torch.manual_seed(20251126)
PATCH, MERGE, WIDTH = 2, 2, 64
tower = MLCDVisionModel(
    MLCDVisionConfig(
        hidden_size=WIDTH, intermediate_size=64, num_hidden_layers=2, num_attention_heads=1,
        num_key_value_groups=1, image_size=8, patch_size=PATCH, hidden_act="gelu",
        layer_norm_eps=1e-5, attn_implementation="eager",
    )
).float()
vision = getattr(tower, "vision_model", tower)
vision.pre_layrnorm.eps = 1e-4
ln_q = torch.nn.LayerNorm(WIDTH, eps=1e-6)
for name, p in tower.named_parameters():
    norm = "norm" in name and "weight" in name
    torch.nn.init.normal_(p, 1.0 if norm else 0.0, 0.02 if "embedding" in name else 0.2)
torch.nn.init.normal_(vision.class_pos_emb, 0.0, 1.0)


def weights():
    v = vision
    out = {
        "class_embedding": v.embeddings.class_embedding,
        "class_pos_emb": v.class_pos_emb,
        "patch_embed.proj.weight": v.embeddings.patch_embedding.weight,
        "pre_layernorm.weight": v.pre_layrnorm.weight,
        "pre_layernorm.bias": v.pre_layrnorm.bias,
    }
    for i, layer in enumerate(v.encoder.layers):
        at = f"blocks.{i}."
        for kind in ("weight", "bias"):
            out[f"{at}norm1.{kind}"] = getattr(layer.layer_norm1, kind)
            out[f"{at}norm2.{kind}"] = getattr(layer.layer_norm2, kind)
            qkv = [getattr(getattr(layer.self_attn, f"{n}_proj"), kind) for n in "qkv"]
            out[f"{at}attn.qkv.{kind}"] = torch.cat(qkv)
            out[f"{at}attn.proj.{kind}"] = getattr(layer.self_attn.out_proj, kind)
            out[f"{at}mlp.fc1.{kind}"] = getattr(layer.mlp.fc1, kind)
            out[f"{at}mlp.fc2.{kind}"] = getattr(layer.mlp.fc2, kind)
    return out


def merge_blocks(rows, h, w):
    x = rows.view(h // MERGE, MERGE, w // MERGE, MERGE, -1).transpose(1, 2)
    return x.reshape(h * w, -1)


grids = [(4, 6), (2, 2), (6, 4), (2, 4)]
pixels, hidden, features = [], [], []
with torch.no_grad():
    for h, w in grids:
        image = 0.05 * torch.randn(3, h * PATCH, w * PATCH)
        rows = tower(image.unsqueeze(0)).last_hidden_state[0]
        patches = merge_blocks(rows[1:], h, w)
        hidden.append(torch.cat([rows[:1], patches]))
        features.append(patches)
        x = image.view(3, h, PATCH, w, PATCH).permute(1, 3, 0, 2, 4).reshape(h * w, -1)
        pixels.append(merge_blocks(x, h, w))
    everything, served, start = torch.cat(hidden), [], 0
    for h, w in grids:
        served.append(everything[start + 1 : start + h * w + 1])
        start += h * w
    features = torch.cat(features)
    faint = 1e-3 * features
    merged = F.gelu(ln_q(faint).view(-1, WIDTH * MERGE**2))
    golden = {
        "pixels": torch.cat(pixels),
        "grids": torch.tensor([[1, h, w] for h, w in grids]).flatten().int(),
        "features": features,
        "served": torch.cat(served),
        "faint": faint,
        "merged": merged,
    }
golden |= {f"weight/{n}": p for n, p in weights().items()}
target = Path(__file__).parent / "golden" / "vision.safetensors"
save_file({k: v.detach().contiguous().clone() for k, v in golden.items()}, target)
print(f"{target}: {len(golden)} tensors, {target.stat().st_size} bytes")
