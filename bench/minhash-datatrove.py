# Rows a second of datatrove's MinHash signatures, same shape (14 × 8, runs of 5 words), on the texts
# that come as JSON on the standard input. Splitting words by spaCy, its default for English, takes most
# of the time, so both rates are given. Needs: pip install datatrove spacy numpy nltk
import json
import sys
import time

from datatrove.data import Document
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
from datatrove.utils.hashing import HashConfig

texts = json.load(sys.stdin)
config = MinhashConfig(
    n_grams=5, num_buckets=14, hashes_per_bucket=8, hash_config=HashConfig(precision=32)
)
signer = MinhashDedupSignature(output_folder="/dev/null", config=config)
for text in texts[:200]:
    signer.get_signature(signer.get_shingles(text))
begun = time.process_time()
shingles = [signer.get_shingles(text) for text in texts]
split = time.process_time()
for row in shingles:
    signer.get_signature(row)
ended = time.process_time()
print(f"{len(texts) / (ended - begun):.1f} rows/s in all")
print(f"{len(texts) / (ended - split):.1f} rows/s once words are split and hashed")
