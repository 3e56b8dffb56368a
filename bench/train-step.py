"""The other side of train-step.ts: the same decoder in PyTorch and transformers.

Reads one JSON line a request, {"lengths": [...]}, trains one step on sequences of these lengths padded
to the longest, and answers with one JSON line: seconds, loss, peak memory in MiB. On a GPU the weights
are float32, products bfloat16 by autocast, blocks are recomputed, and the seconds are of the clock.
"""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from transformers import Qwen3Config, Qwen3ForCausalLM

torch.set_num_threads(1)
sizes = json.loads(sys.argv[1])
device = torch.device(sys.argv[2])
on_gpu = device.type == "cuda"
with device:
    model = Qwen3ForCausalLM(Qwen3Config(**sizes, attn_implementation="sdpa")).float()
model.train()
if on_gpu:
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), fused=True)
parameters = sum(p.numel() for p in model.parameters())
print(json.dumps({"parameters": parameters, "torch": torch.__version__}), flush=True)
generator = torch.Generator().manual_seed(1)

for line in sys.stdin:
    lengths = json.loads(line)["lengths"]
    width = max(lengths)
    ids = torch.randint(0, sizes["vocab_size"], (len(lengths), width), generator=generator)
    mask = torch.arange(width)[None, :] < torch.tensor(lengths)[:, None]
    labels = torch.where(mask, ids, -100)
    ids, mask, labels = ids.to(device), mask.to(device), labels.to(device)
    start = time.perf_counter() if on_gpu else time.process_time()
    padded = len(set(lengths)) > 1
    with torch.autocast(device.type, torch.bfloat16, enabled=on_gpu):
        logits = model(
            input_ids=ids, attention_mask=mask.long() if padded else None, use_cache=False
        ).logits
    loss = F.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]).float(),
        labels[:, 1:].reshape(-1),
        ignore_index=-100,
    )
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    loss_value = loss.item()
    if on_gpu:
        torch.cuda.synchronize()
    seconds = (time.perf_counter() if on_gpu else time.process_time()) - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if on_gpu:
        peak = torch.cuda.max_memory_allocated() / 2**20
    del logits, loss
    print(json.dumps({"seconds": seconds, "loss": loss_value, "peakMib": peak}), flush=True)
