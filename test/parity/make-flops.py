"""FLOPs of matrix products in PyTorch's own count, for flops.test.ts.

Versions: torch 2.13.0 (CPU), transformers 5.24.0.
    python test/parity/make-flops.py

A tower of plain layers and a merger of the released shapes feed a tiny transformers Qwen3ForCausalLM.
torch.utils.flop_counter counts the products of one forward and backward for each choice of trained
parts, with and without activation checkpointing, and with low-rank adapters on the decoder.
Attention is written as plain products, so that it is counted too, without a causal mask.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint, set_checkpoint_early_stop
from torch.utils.flop_counter import FlopCounterMode
from transformers import Qwen3Config, Qwen3ForCausalLM

torch.manual_seed(1)
WIDTH, HEADS, INNER, DEPTH, PATCH = 16, 2, 24, 2, 12
HIDDEN, TOKENS, PATCHES, VOCAB, RANK = 24, 20, 32, 40, 4


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)

    def forward(self, x):
        q, k, v = self.qkv(self.norm1(x)).view(-1, 3, HEADS, WIDTH // HEADS).permute(1, 2, 0, 3)
        mixed = torch.bmm(torch.softmax(torch.bmm(q, k.transpose(1, 2)), -1), v)
        x = x + self.proj(mixed.transpose(0, 1).reshape(-1, WIDTH))
        return x + self.fc2(nn.functional.gelu(self.fc1(self.norm2(x))))


class Adapted(nn.Module):
    def __init__(self, base):
        super().__init__()
        self.base = base
        self.down = nn.Linear(base.in_features, RANK, bias=False)
        self.up = nn.Linear(RANK, base.out_features, bias=False)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x))


def build(lora):
    class_token = nn.Parameter(torch.randn(1, WIDTH))
    tower = nn.ModuleDict({"patch": nn.Linear(PATCH, WIDTH, bias=False), "pre": nn.LayerNorm(WIDTH),
                           "blocks": nn.ModuleList(Block() for _ in range(DEPTH))})
    tower.register_parameter("class_token", class_token)
    merger = nn.ModuleDict({"norm": nn.LayerNorm(WIDTH), "low": nn.Linear(4 * WIDTH, 4 * WIDTH),
                            "high": nn.Linear(4 * WIDTH, HIDDEN)})
    decoder = Qwen3ForCausalLM(Qwen3Config(
        vocab_size=VOCAB, hidden_size=HIDDEN, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, tie_word_embeddings=False,
        attn_implementation="eager"))
    if lora:
        decoder.requires_grad_(False)
        for layer in decoder.model.layers:
            for group in (layer.self_attn, layer.mlp):
                for name, child in list(group.named_children()):
                    if isinstance(child, nn.Linear):
                        setattr(group, name, Adapted(child))
    return tower, merger, decoder


def count(trained, recompute=False, lora=False):
    tower, merger, decoder = build(lora)
    parts = {"vision": tower, "merger": merger, "language": decoder}
    for name, part in parts.items():
        if not (lora and name == "language"):
            part.requires_grad_(name in trained)
    if recompute:
        decoder.gradient_checkpointing_enable({"use_reentrant": False})
        decoder.train()
    pixels, ids = torch.randn(PATCHES, PATCH), torch.randint(VOCAB, (1, TOKENS))
    # Blocks are computed again whole, to their last product.
    with set_checkpoint_early_stop(False), FlopCounterMode(display=False) as counter:
        x = tower["pre"](torch.cat([tower.class_token, tower["patch"](pixels)]))
        for block in tower["blocks"]:
            x = checkpoint(block, x, use_reentrant=False) if recompute else block(x)
        merged = merger["norm"](x[1:]).view(-1, 4 * WIDTH)
        image = merger["high"](nn.functional.gelu(merger["low"](merged)))
        embedded = decoder.model.embed_tokens(ids)
        embedded = torch.cat([image[None], embedded[:, image.shape[0] :]], 1)
        logits = decoder(inputs_embeds=embedded).logits
        logits.sum().backward()
    counts = counter.get_flop_counts()["Global"]
    return int(sum(counts.values()))


everything = ("vision", "merger", "language")
cases = [(everything, False, False), (everything, True, False), (("merger",), False, False),
         (("merger",), True, False), (("language",), False, False), (("vision",), False, False),
         (("merger", "language"), False, False), (everything, False, True)]
rows = [{"trainable": list(t), "recompute": r, "lora": l, "flops": count(t, r, l)} for t, r, l in cases]
target = Path(__file__).parent / "golden" / "flops.json"
target.write_text(json.dumps({"rank": RANK, "tokens": TOKENS, "patches": PATCHES, "rows": rows}) + "\n")
print(target.read_text())
