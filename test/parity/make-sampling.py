"""Golden probabilities of transformers' logits processors, for the sampler.

Versions: transformers 5.24.0, torch 2.13.0 (CPU).
    python test/parity/make-sampling.py
"""

import json
from pathlib import Path

import torch
from transformers.generation.logits_process import (
    LogitsProcessorList, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper,
    TopKLogitsWarper, TopPLogitsWarper,
)

torch.manual_seed(7)
VOCAB = 600
logits = (torch.randn(VOCAB) * 2.5).mul(64).round().div(64)
seen = torch.randint(0, VOCAB, (1, 40))
seen[0, :3] = torch.topk(logits, 3).indices
cases = []
for temperature, top_k, top_p, penalty in [
    (1.0, 0, 1.0, 1.0), (0.6, 0, 1.0, 1.0), (1.7, 0, 1.0, 1.0), (1.0, 5, 1.0, 1.0),
    (1.0, 0, 0.8, 1.0), (1.6, 0, 0.97, 1.0), (1.0, 40, 0.9, 1.0), (1.3, 20, 0.7, 1.3),
    (1.0, 0, 1.0, 1.5), (0.8, 0, 0.5, 1.1), (1.0, 1, 0.3, 1.0), (1.0, 0, 0.01, 1.0),
]:
    steps = LogitsProcessorList()
    if penalty != 1.0:
        steps.append(RepetitionPenaltyLogitsProcessor(penalty))
    if temperature != 1.0:
        steps.append(TemperatureLogitsWarper(temperature))
    if top_k > 0:
        steps.append(TopKLogitsWarper(top_k))
    if top_p < 1.0:
        steps.append(TopPLogitsWarper(top_p))
    p = torch.softmax(steps(seen, logits.unsqueeze(0).clone()).double(), -1)[0]
    kept = torch.nonzero(p)[:, 0]
    cases.append({
        "options": {"temperature": temperature, "topK": top_k, "topP": top_p, "repetitionPenalty": penalty},
        "ids": kept.tolist(), "probabilities": [float(f"{v:.6g}") for v in p[kept].tolist()],
    })
golden = {"logits": logits.tolist(), "seen": seen[0].tolist(), "cases": cases}
target = Path(__file__).parent / "golden" / "sampling.json"
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
print(f"{target}: {len(cases)} cases, {target.stat().st_size} bytes")
