"""Golden files of torch.save, and a check of the files that we write.

Versions: torch 2.13.0 (CPU), numpy 2.4.6, safetensors 0.8.0.
    pip install torch==2.13.0 numpy==2.4.6 safetensors==0.8.0
    python test/parity/make-torch-files.py

golden/torch-save.pt   every kind of value that a training checkpoint holds, one hostile object among
                       them (unpickled by Python it would make a file)
golden/megatron.pt     the weights of golden/onevision.safetensors in the original's Megatron layout
golden/torch-written.json   sha256 of what write-torch-file.ts writes, after torch.load read it with
                       weights_only=True and found every value right
"""

import argparse
import hashlib
import io
import json
import os
import subprocess
import tempfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]


class Hostile:
    def __reduce__(self):
        return (os.system, ("touch hostile-was-here",))


def make_torch_save():
    base = torch.arange(24, dtype=torch.float32).view(4, 6)
    extra = io.BytesIO()
    torch.save(None, extra)
    value = {
        "types": OrderedDict((d, torch.arange(6).to(getattr(torch, d)).view(2, 3)) for d in DTYPES),
        "uint16": torch.arange(6).to(torch.uint16),
        "views": {"t": base.t(), "rows": base[1:3], "columns": base[:, 2:4], "last": base[3, 5]},
        "empty": torch.zeros(0, 4),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "plain": [None, True, False, 7, -300, 2**40, -(2**70), 0.5, "é", b"\x00\xff", (1, (2,)), {3}],
        "args": argparse.Namespace(lr=0.1, names=["a"]),
        "rng": np.arange(3),
        "extra": extra,
        "hostile": Hostile(),
    }
    torch.save(value, GOLDEN / "torch-save.pt")


def make_megatron():
    weights = {
        k.removeprefix("weight/"): v
        for k, v in load_file(GOLDEN / "onevision.safetensors").items()
        if k.startswith("weight/")
    }
    model = {}
    for kind in ("weight", "bias"):
        model[f"vision_model.pre_layernorm.{kind}"] = weights[f"visual.pre_layernorm.{kind}"]
        model[f"adapter.layernorm.{kind}"] = weights[f"visual.merger.ln_q.{kind}"]
        model[f"adapter.linear_fc1.{kind}"] = weights[f"visual.merger.mlp.0.{kind}"]
        model[f"adapter.linear_fc2.{kind}"] = weights[f"visual.merger.mlp.2.{kind}"]
    for name in ("patch_embed.proj.weight", "class_embedding", "class_pos_emb"):
        model[f"vision_model.{name}"] = weights[f"visual.{name}"]
    heads, dim = 2, 8
    for i in range(2):
        to, at = f"vision_model.decoder.layers.{i}", f"visual.blocks.{i}"
        for kind in ("weight", "bias"):
            q, k, v = weights[f"{at}.attn.qkv.{kind}"].chunk(3)
            parts = []
            for h in range(heads):
                parts += [x[h * dim : (h + 1) * dim] for x in (q, k, v)]
            model[f"{to}.self_attention.linear_qkv.{kind}"] = torch.cat(parts)
            model[f"{to}.self_attention.linear_qkv.layer_norm_{kind}"] = weights[f"{at}.norm1.{kind}"]
            model[f"{to}.self_attention.linear_proj.{kind}"] = weights[f"{at}.attn.proj.{kind}"]
            model[f"{to}.mlp.linear_fc1.layer_norm_{kind}"] = weights[f"{at}.norm2.{kind}"]
            model[f"{to}.mlp.linear_fc1.{kind}"] = weights[f"{at}.mlp.fc1.{kind}"]
            model[f"{to}.mlp.linear_fc2.{kind}"] = weights[f"{at}.mlp.fc2.{kind}"]
    groups, queries, dim = 2, 2, 8
    for i in range(2):
        to, at = f"language_model.decoder.layers.{i}", f"model.layers.{i}"
        q, k, v = (weights[f"{at}.self_attn.{n}_proj.weight"] for n in "qkv")
        q, k, v = q.view(groups, queries * dim, -1), k.view(groups, dim, -1), v.view(groups, dim, -1)
        linear = f"{to}.self_attention.linear_qkv"
        model[f"{linear}.weight"] = torch.cat([q, k, v], dim=1).reshape(-1, q.shape[-1])
        model[f"{linear}.layer_norm_weight"] = weights[f"{at}.input_layernorm.weight"]
        model[f"{to}.self_attention.linear_proj.weight"] = weights[f"{at}.self_attn.o_proj.weight"]
        model[f"{to}.self_attention.q_layernorm.weight"] = weights[f"{at}.self_attn.q_norm.weight"]
        model[f"{to}.self_attention.k_layernorm.weight"] = weights[f"{at}.self_attn.k_norm.weight"]
        norm = weights[f"{at}.post_attention_layernorm.weight"]
        model[f"{to}.mlp.linear_fc1.layer_norm_weight"] = norm
        gate_up = [weights[f"{at}.mlp.{n}_proj.weight"] for n in ("gate", "up")]
        model[f"{to}.mlp.linear_fc1.weight"] = torch.cat(gate_up)
        model[f"{to}.mlp.linear_fc2.weight"] = weights[f"{at}.mlp.down_proj.weight"]
    # Megatron pads its vocabulary: eight rows more.
    for name, source in (("embedding.word_embeddings", "model.embed_tokens"), ("output_layer", "lm_head")):
        table = weights[f"{source}.weight"]
        model[f"language_model.{name}.weight"] = torch.cat([table, torch.zeros(8, table.shape[1])])
    model["language_model.decoder.final_layernorm.weight"] = weights["model.norm.weight"]
    model["adapter.linear_fc1._extra_state"] = None
    value = {"model": model, "checkpoint_version": 3.0, "args": argparse.Namespace(lr=1e-5)}
    torch.save(value, GOLDEN / "megatron.pt")


def check_written():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written.pt"
        script = HERE / "write-torch-file.ts"
        subprocess.run(["node", "--disable-warning=ExperimentalWarning", script, path], check=True)
        value = torch.load(path, weights_only=True)
        mapped = torch.load(path, weights_only=True, mmap=True)
        for d in DTYPES:
            want = torch.arange(6).to(getattr(torch, d)).view(2, 3)
            for got in (value["types"][d], mapped["types"][d]):
                assert got.dtype == want.dtype and torch.equal(got, want), d
        assert value["plain"] == [None, True, False, 7, -300, 2**40, 0.5, "é", {"a": []}]
        assert value["empty"].shape == (0, 4) and value["scalar"].item() == 5
        assert torch.equal(value["large"], torch.ones(1000, 33))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    written = {"torch": torch.__version__.split("+")[0], "sha256": digest}
    (GOLDEN / "torch-written.json").write_text(json.dumps(written, indent=2) + "\n")


make_torch_save()
make_megatron()
check_written()
