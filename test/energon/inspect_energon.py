# What other people's readers make of our archives, as JSON in the last line, for energon.test.ts.
# Usage: inspect_energon.py FOLDER...   Each FOLDER holds .nv-meta and *.tar with *.tar.idx.
# Wants: megatron-energon 7.4.1, webdataset 1.0.2, torch 2.13.0 (scripts/python-env.mjs energon).
import hashlib
import json
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

import webdataset
from megatron.energon import WorkerConfig, get_loader, get_train_dataset
from megatron.energon.flavors.webdataset.prepare import WebdatasetPreparator


def pixels(tensor):
    levels = (tensor * 255).round().byte()  # [3, height, width] -> [height, width, 3]
    data = levels.permute(1, 2, 0).contiguous().numpy().tobytes()
    return {"shape": list(levels.shape), "sha256": hashlib.sha256(data).hexdigest()}


def plain(value):
    if hasattr(value, "permute"):
        return pixels(value)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def energon_samples(folder, count):
    config = WorkerConfig(rank=0, world_size=1, num_workers=0)
    dataset = get_train_dataset(
        folder,
        worker_config=config,
        batch_size=None,
        shuffle_buffer_size=None,
        max_samples_per_sequence=None,
        repeat=False,
    )
    samples = {}
    for sample in get_loader(dataset):
        fields = {k: plain(v) for k, v in vars(sample).items() if not k.startswith("_")}
        samples[sample.__key__.split("/")[-1]] = fields
    if len(samples) != count:
        raise SystemExit(f"{folder}: {len(samples)} samples, {count} in its info")
    return samples


def rows(path):
    database = sqlite3.connect(path)
    names = "SELECT type, name, tbl_name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name"
    return {
        "schema": database.execute(names).fetchall(),
        "samples": database.execute("SELECT * FROM samples ORDER BY 1, 3").fetchall(),
        "parts": database.execute("SELECT * FROM sample_parts ORDER BY 1, 2, 4").fetchall(),
    }


def index_files(folder, names):
    meta = folder / ".nv-meta"
    return {
        "idx": {name: (folder / f"{name}.idx").read_bytes().hex() for name in names},
        "sqlite": rows(meta / "index.sqlite"),
        "info": json.loads((meta / ".info.json").read_text()),
    }


def prepared(folder, names):
    with tempfile.TemporaryDirectory() as temporary:
        copy = Path(temporary)
        for name in names:
            shutil.copy(folder / name, copy / name)
        WebdatasetPreparator.prepare_dataset(
            copy, names, split_parts_ratio=[("train", 1.0)], shuffle_seed=None, workers=1
        )
        return index_files(copy, names)


def webdataset_parts(folder, names):
    parts = {}
    for sample in webdataset.WebDataset([str(folder / n) for n in names], shardshuffle=False):
        key = sample["__key__"]
        for part, data in sample.items():
            if not part.startswith("__"):
                parts[f"{key}.{part}"] = hashlib.sha256(data).hexdigest()
    return parts


result = {}
for argument in sys.argv[1:]:
    folder = Path(argument)
    ours = index_files(folder, sorted(path.name for path in folder.glob("*.tar")))
    names = list(ours["info"]["shard_counts"])
    result[argument] = {
        "ours": ours,
        "prepared": prepared(folder, names),
        "samples": energon_samples(folder, sum(ours["info"]["shard_counts"].values())),
        "webdataset": webdataset_parts(folder, names),
    }
print()
print(json.dumps(result))
