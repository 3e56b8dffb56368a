"""Golden tensors for the mixture-of-experts decoder, made by PyTorch and transformers.

Versions: torch 2.13.0 (CPU), transformers 5.24.0, safetensors 0.8.0.
    pip install torch==2.13.0 transformers==5.24.0 safetensors==0.8.0
    python test/parity/make-experts.py

transformers' Qwen3MoeForCausalLM with one dense layer between two of experts. Weights, one
sequence, router probabilities, logits, the load-balancing loss, the loss with it and every
gradient go into golden/experts.safetensors. Weights have transformers' names in memory.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

torch.manual_seed(20251125)
COEFFICIENT = 0.1
model = Qwen3MoeForCausalLM(
    Qwen3MoeConfig(
        vocab_size=40, hidden_size=24, intermediate_size=32, num_hidden_layers=3,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, rms_norm_eps=1e-6,
        rope_theta=1e4, max_position_embeddings=512, tie_word_embeddings=False,
        attention_bias=False, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=16,
        norm_topk_prob=True, router_aux_loss_coef=COEFFICIENT, mlp_only_layers=[1],
        decoder_sparse_step=1, output_router_logits=True, attn_implementation="eager",
        experts_implementation="eager",
    )
).float()
for name, p in model.named_parameters():
    torch.nn.init.normal_(p, 1.0 if "norm" in name else 0.0, 0.3)

ids = torch.randint(7, 40, (17,))
targets = torch.roll(ids, -1)
targets[-1] = -100
targets[:5] = -100
out = model(input_ids=ids.unsqueeze(0), output_router_logits=True)
mean = F.cross_entropy(out.logits[0], targets, ignore_index=-100)
loss = mean + COEFFICIENT * out.aux_loss
loss.backward()

golden = {
    "input_ids": ids.int(), "targets": targets.int(), "logits": out.logits[0],
    "balance": out.aux_loss.view(1), "loss": loss.view(1),
}
golden |= {f"weight/{n}": p for n, p in model.named_parameters()}
golden |= {f"grad/{n}": p.grad for n, p in model.named_parameters()}
target = Path(__file__).parent / "golden" / "experts.safetensors"
save_file({k: v.detach().contiguous().clone() for k, v in golden.items()}, target)
print(f"{target}: {len(golden)} tensors, loss {loss.item():.6f}, balance {out.aux_loss.item():.6f}")
