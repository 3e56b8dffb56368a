"""Twenty steps of training in PyTorch and transformers, for train.test.ts.

Versions: torch 2.13.0 (CPU), transformers 5.24.0, safetensors 0.8.0.
    python test/parity/make-train.py

A tiny Qwen3ForCausalLM, one padded batch of four sequences a step, AdamW with decoupled decay on
matrices, warm-up and cosine, clipping. Weights at the start, the batches, the learning rates and
the losses and gradient norms of every step go into golden/train.safetensors.
"""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import Qwen3Config, Qwen3ForCausalLM

torch.manual_seed(20261125)
torch.set_num_threads(1)
STEPS, BATCH, VOCAB = 20, 4, 64
PEAK, MIN, WARMUP, CLIP = 1e-2, 1e-4, 4, 1.0

model = Qwen3ForCausalLM(
    Qwen3Config(
        vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, rms_norm_eps=1e-6,
        rope_theta=1e4, max_position_embeddings=512, tie_word_embeddings=False,
        attention_bias=False, attn_implementation="eager",
    )
).float()
for name, p in model.named_parameters():
    torch.nn.init.normal_(p, 1.0 if "norm" in name else 0.0, 0.1)
out = {f"weight/{name}": p.detach().clone() for name, p in model.named_parameters()}

matrices = [p for p in model.parameters() if p.dim() > 1]
vectors = [p for p in model.parameters() if p.dim() == 1]
groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), eps=1e-8)

ids, lengths, losses, norms, rates = [], [], [], [], []
for step in range(STEPS):
    sizes = torch.randint(5, 20, (BATCH,)).tolist()
    batch = torch.zeros(BATCH, max(sizes), dtype=torch.long)
    labels = torch.full_like(batch, -100)
    mask = torch.zeros_like(batch)
    for row, size in enumerate(sizes):
        # A pattern to learn: every token is the one before plus a constant of the sequence.
        start, stride = torch.randint(0, VOCAB, (1,)).item(), torch.randint(1, 4, (1,)).item()
        batch[row, :size] = (start + stride * torch.arange(size)) % VOCAB
        labels[row, size // 3 : size] = batch[row, size // 3 : size]
        mask[row, :size] = 1
        ids.append(batch[row, :size])
    if step < WARMUP:
        lr = PEAK * (step + 1) / WARMUP
    else:
        progress = (step + 1 - WARMUP) / (STEPS - WARMUP)
        lr = MIN + (PEAK - MIN) * 0.5 * (1 + math.cos(math.pi * progress))
    for group in optimizer.param_groups:
        group["lr"] = lr
    logits = model(input_ids=batch, attention_mask=mask).logits
    loss = F.cross_entropy(
        logits[:, :-1].reshape(-1, VOCAB), labels[:, 1:].reshape(-1), ignore_index=-100
    )
    optimizer.zero_grad()
    loss.backward()
    norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
    optimizer.step()
    lengths += sizes
    losses.append(loss.item())
    rates.append(lr)

out |= {
    "input_ids": torch.cat(ids).int(), "lengths": torch.tensor(lengths).int(),
    "losses": torch.tensor(losses, dtype=torch.float64), "grad_norms": torch.tensor(norms, dtype=torch.float64),
    "learning_rates": torch.tensor(rates, dtype=torch.float64),
}
target = Path(__file__).parent / "golden" / "train.safetensors"
save_file({k: v.contiguous() for k, v in out.items()}, target)
print(f"{target}: losses {losses[0]:.6f} … {losses[-1]:.6f}")
