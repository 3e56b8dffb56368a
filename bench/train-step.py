"""The other side of train-step.ts: the same decoder in PyTorch and transformers.

Reads one JSON line a request, {"lengths": [...]}, trains one step on sequences of these lengths padded
to the longest, and answers with one JSON line: processor seconds, loss, peak memory in MiB.
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
model = Qwen3ForCausalLM(Qwen3Config(**sizes, attn_implementation="sdpa")).float()
model.train()
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
    start = time.process_time()
    padded = len(set(lengths)) > 1
    logits = model(input_ids=ids, attention_mask=mask.long() if padded else None).logits
    loss = F.cross_entropy(
        logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1), ignore_index=-100
    )
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "loss": loss.item(), "peakMib": peak}), flush=True)
