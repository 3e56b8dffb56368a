"""Golden BLEU-4 and CIDEr-D of random corpora of captions.

Versions: sacrebleu 2.6.0, pycocoevalcap 1.2, numpy 2.4.6.
    pip install --no-deps pycocoevalcap==1.2 sacrebleu==2.6.0 numpy portalocker regex tabulate colorama lxml
    python test/parity/make-captions.py

Captions are words joined by spaces, so no tokenizer plays a part.
"""

import json
import random
from pathlib import Path

import sacrebleu
from pycocoevalcap.cider.cider import Cider

rng = random.Random(20261126)
WORDS = "a the red blue cat dog sits runs on under table big small two happily".split()


def sentence(low, high):
    return [rng.choice(WORDS) for _ in range(rng.randint(low, high))]


corpora = []
for number in range(12):
    pairs = []
    for _ in range(rng.randint(4, 20)):
        references = [sentence(4, 12) for _ in range(rng.randint(1, 4))]
        candidate = list(rng.choice(references)) if rng.random() < 0.6 else sentence(3, 14)
        for place in range(len(candidate)):
            if rng.random() < 0.15:
                candidate[place] = rng.choice(WORDS)
        pairs.append({"candidate": candidate, "references": references})
    most = max(len(pair["references"]) for pair in pairs)
    streams = [
        [" ".join(p["references"][k]) if k < len(p["references"]) else None for p in pairs]
        for k in range(most)
    ]
    hypotheses = [" ".join(pair["candidate"]) for pair in pairs]
    bleu = sacrebleu.corpus_bleu(
        hypotheses, streams, smooth_method="none", tokenize="none", force=True
    ).score / 100
    gts = {i: [" ".join(r) for r in pair["references"]] for i, pair in enumerate(pairs)}
    res = {i: [" ".join(pair["candidate"])] for i, pair in enumerate(pairs)}
    cider, _ = Cider().compute_score(gts, res)
    corpora.append({"pairs": pairs, "bleu": float(bleu), "cider": float(cider)})

out = Path(__file__).parent / "golden" / "captions.json"
out.write_text(json.dumps(corpora) + "\n")
print(len(corpora))
