"""Golden tensors for the OneVision model, made by PyTorch and transformers.

Versions: torch 2.13.0 (CPU), transformers 4.57.1, safetensors 0.8.0.
    pip install torch==2.13.0 transformers==4.57.1 safetensors==0.8.0
    python test/parity/make-onevision.py

The decoder is transformers' Qwen3ForCausalLM, the tower its MLCDVisionModel (the architecture of
RICE-ViT); the merger is three lines below. Samples run one by one, unpadded. Weights, inputs,
features, logits, loss and gradients go into golden/onevision.safetensors.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import MLCDVisionConfig, MLCDVisionModel, Qwen3Config, Qwen3ForCausalLM

torch.manual_seed(20251123)
IMAGE, PATCH, MERGE = 5, 2, 2
WIDTH, HEADS, MLP, DEPTH = 16, 2, 24, 2
TEXT = dict(
    vocab_size=40, hidden_size=24, intermediate_size=32, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, head_dim=8, rms_norm_eps=1e-6,
    rope_theta=1e4, max_position_embeddings=512, tie_word_embeddings=False,
    attention_bias=False, attn_implementation="eager",
)

decoder = Qwen3ForCausalLM(Qwen3Config(**TEXT)).float()
tower = MLCDVisionModel(
    MLCDVisionConfig(
        hidden_size=WIDTH, intermediate_size=MLP, num_hidden_layers=DEPTH,
        num_attention_heads=HEADS, num_key_value_groups=1, image_size=8, patch_size=PATCH,
        hidden_act="gelu", layer_norm_eps=1e-5, attn_implementation="eager",
    )
).float()
ln_q = torch.nn.LayerNorm(WIDTH, eps=1e-5)
inner = torch.nn.Linear(WIDTH * MERGE**2, WIDTH * MERGE**2)
outer = torch.nn.Linear(WIDTH * MERGE**2, TEXT["hidden_size"])
for module in (decoder, tower, ln_q, inner, outer):
    for name, p in module.named_parameters():
        torch.nn.init.normal_(p, 1.0 if "norm" in name and "weight" in name else 0.0, 0.2)
torch.nn.init.normal_(ln_q.weight, 1.0, 0.2)
torch.nn.init.normal_(tower.vision_model.class_pos_emb, 0.0, 1.0)


def released_weights(get):
    """Released names; `get` reads a parameter or its gradient."""
    v = tower.vision_model
    out = {
        "visual.class_embedding": get(v.embeddings.class_embedding),
        "visual.class_pos_emb": get(v.class_pos_emb),
        "visual.patch_embed.proj.weight": get(v.embeddings.patch_embedding.weight),
        "visual.pre_layernorm.weight": get(v.pre_layrnorm.weight),
        "visual.pre_layernorm.bias": get(v.pre_layrnorm.bias),
    }
    for i, layer in enumerate(v.encoder.layers):
        at = f"visual.blocks.{i}."
        for kind in ("weight", "bias"):
            out[f"{at}norm1.{kind}"] = get(getattr(layer.layer_norm1, kind))
            out[f"{at}norm2.{kind}"] = get(getattr(layer.layer_norm2, kind))
            qkv = [getattr(getattr(layer.self_attn, f"{n}_proj"), kind) for n in "qkv"]
            out[f"{at}attn.qkv.{kind}"] = torch.cat([get(p) for p in qkv])
            out[f"{at}attn.proj.{kind}"] = get(getattr(layer.self_attn.out_proj, kind))
            out[f"{at}mlp.fc1.{kind}"] = get(getattr(layer.mlp.fc1, kind))
            out[f"{at}mlp.fc2.{kind}"] = get(getattr(layer.mlp.fc2, kind))
    for kind in ("weight", "bias"):
        out[f"visual.merger.ln_q.{kind}"] = get(getattr(ln_q, kind))
        out[f"visual.merger.mlp.0.{kind}"] = get(getattr(inner, kind))
        out[f"visual.merger.mlp.2.{kind}"] = get(getattr(outer, kind))
    for name, p in decoder.named_parameters():
        out[name] = get(p)
    return out


def merge_blocks(rows, h, w):
    """[h*w, ...] row by row -> merge-block order."""
    x = rows.view(h // MERGE, MERGE, w // MERGE, MERGE, -1).transpose(1, 2)
    return x.reshape(h * w, -1)


def image_tokens(pixels):
    """[3, H, W] -> tower features [patches, width] and merged tokens, in merge-block order."""
    h, w = pixels.shape[1] // PATCH, pixels.shape[2] // PATCH
    hidden = tower(pixels.unsqueeze(0)).last_hidden_state[0, 1:]
    features = merge_blocks(hidden, h, w)
    merged = outer(F.gelu(inner(ln_q(features).view(-1, WIDTH * MERGE**2))))
    return features, merged


def patches(pixels):
    """[3, H, W] -> [patches, 3*PATCH*PATCH] in merge-block order, columns channel, row, column."""
    h, w = pixels.shape[1] // PATCH, pixels.shape[2] // PATCH
    x = pixels.view(3, h, PATCH, w, PATCH).permute(1, 3, 0, 2, 4).reshape(h * w, -1)
    return merge_blocks(x, h, w)


samples = [([(4, 6), (2, 2)], 11), ([], 5), ([(6, 4)], 7), ([(2, 2), (2, 4), (4, 2)], 3)]
out = {"input_ids": [], "targets": [], "lengths": [], "pixels": [], "grids": []}
features, logits, loss = [], [], torch.zeros(())
for grids, num_text in samples:
    ids, rows = [], []
    for h, w in grids:
        pixels = torch.randn(3, h * PATCH, w * PATCH)
        feature, merged = image_tokens(pixels)
        ids += [3] + [IMAGE] * (h * w // MERGE**2) + [4]
        out["pixels"].append(patches(pixels))
        out["grids"].append(torch.tensor([1, h, w]))
        features.append(feature)
        rows.append(merged)
    ids = torch.tensor(ids + torch.randint(7, 40, (num_text,)).tolist())
    targets = torch.roll(ids, -1)
    targets[-1] = -100
    targets[: len(ids) // 2] = -100
    embeds = decoder.model.embed_tokens(ids)
    if rows:
        embeds = embeds.index_copy(0, torch.nonzero(ids == IMAGE)[:, 0], torch.cat(rows))
    one = decoder(inputs_embeds=embeds.unsqueeze(0)).logits[0]
    loss = loss + F.cross_entropy(one, targets, reduction="sum", ignore_index=-100)
    logits.append(one)
    out["input_ids"].append(ids)
    out["targets"].append(targets)
    out["lengths"].append(torch.tensor([len(ids)]))
loss.backward()

golden = {k: torch.cat(v).to(torch.float32 if k == "pixels" else torch.int32) for k, v in out.items()}
golden |= {"features": torch.cat(features), "logits": torch.cat(logits), "loss": loss.view(1)}
golden |= {f"weight/{k}": v for k, v in released_weights(lambda p: p).items()}
golden |= {f"grad/{k}": v for k, v in released_weights(lambda p: p.grad).items()}
target = Path(__file__).parent / "golden" / "onevision.safetensors"
save_file({k: v.detach().contiguous().clone() for k, v in golden.items()}, target)
print(f"{target}: {len(golden)} tensors, loss {loss.item():.6f}")
