"""A golden adapter, made and merged by PEFT.

Versions: torch 2.13.0 (CPU), transformers 5.24.0, peft 0.21.2, safetensors 0.8.0.
    pip install torch==2.13.0 transformers==5.24.0 peft==0.21.2 safetensors==0.8.0
    python test/parity/make-lora.py

The decoder of golden/onevision.safetensors gets random adapters beside some of its layers.
golden/lora/ is the adapter as PEFT saves it; golden/lora/merged.safetensors what
merge_and_unload() makes of the layers that it changes.
"""

from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import Qwen3Config, Qwen3ForCausalLM

torch.manual_seed(20251127)
GOLDEN = Path(__file__).parent / "golden"
model = Qwen3ForCausalLM(
    Qwen3Config(
        vocab_size=40, hidden_size=24, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, head_dim=8, rope_theta=1e4,
        max_position_embeddings=512, tie_word_embeddings=False, attention_bias=False,
    )
).float()
stored = load_file(GOLDEN / "onevision.safetensors")
names = [n for n, _ in model.named_parameters()]
model.load_state_dict({n: stored[f"weight/{n}"] for n in names}, strict=False)
config = LoraConfig(
    r=3, lora_alpha=7, target_modules=["q_proj", "down_proj"], rank_pattern={"down_proj": 2},
    alpha_pattern={"layers.1.mlp.down_proj": 1}, modules_to_save=["lm_head"],
)
adapted = get_peft_model(model, config)
for name, p in adapted.named_parameters():
    if "lora_" in name or "modules_to_save" in name:
        torch.nn.init.normal_(p, 0.0, 0.3)
adapted.save_pretrained(GOLDEN / "lora")
(GOLDEN / "lora" / "README.md").unlink(missing_ok=True)
merged = adapted.merge_and_unload().state_dict()
changed = {n: merged[n] for n in names if not torch.equal(merged[n], stored[f"weight/{n}"])}
save_file({n: t.contiguous().clone() for n, t in changed.items()}, GOLDEN / "lora" / "merged.safetensors")
print(sorted(changed))
