"""Golden scores of VLMEvalKit's rules, for our `official` profiles, on the pairs of make-scorers.py and make-wemath.py.

    pip download --no-deps ms-vlmeval==0.0.20   # VLMEvalKit as PyPI has it; unzip the wheel into a folder
    pip install numpy pandas tqdm
    python test/parity/make-official.py FOLDER

Only the scores are written. null: the rule gives the reply to a judge, or reads a refusal as the option Z.
"""

import ast
import contextlib
import gzip
import io
import json
import sys
import types
from importlib import import_module
from pathlib import Path

import pandas as pd

GOLDEN = Path(__file__).parent / "golden"
LETTERS = "ABCDEFGHIJ"
CHOICES = ["mmbench", "ai2d", "cv-bench", "vstar", "mmstar", "seed-bench", "scienceqa"]


def stub_modules(folder):
    sys.path.insert(0, folder)

    def module(name, path=None, **attributes):
        made = types.ModuleType(name)
        if path:
            made.__path__ = [str(Path(folder) / path)]
        made.__dict__.update(attributes)
        sys.modules[name] = made

    def is_type(text, kind):
        try:
            return isinstance(ast.literal_eval(text), kind)
        except Exception:
            return False

    logger = types.SimpleNamespace(info=lambda *_: None, warning=lambda *_: None)
    tools = {"istype": is_type, "listinstr": lambda names, text: any(n in text for n in names), "process_punctuation": lambda text: text,
             "get_logger": lambda *_: logger, "load": lambda file: FILES[file].copy(), "dump": lambda *_: None, "get_intermediate_file_path": lambda *_: "x"}
    module("vlmeval", "vlmeval")
    module("vlmeval.smp", **tools)
    module("vlmeval.smp.log", **tools)
    module("vlmeval.smp.file", **tools)
    for name in ["utils", "dataset", "dataset/utils"]:
        module("vlmeval." + name.replace("/", "."), f"vlmeval/{name}")


FILES = {}


def rules():
    matching, vqa = import_module("vlmeval.utils.matching_util"), import_module("vlmeval.dataset.utils.vqa_eval")
    ocrbench, math = import_module("vlmeval.dataset.utils.ocrbench"), import_module("vlmeval.dataset.utils.wemath")

    def choice(text, item):
        found = matching.can_infer(text, {LETTERS[i]: option for i, option in enumerate(item["options"])})
        return None if found in (False, "Z") else int(found == item["answers"][0])

    def answer(name, method):
        return lambda text, item: float(vqa.hit_calculate([vqa.process_line({"answer": repr(item["answers"]), "prediction": text}, method)], name)[0])

    def ocr(text, item):
        formula = item["columns"]["dataset"] == "HME100k"
        kind = "Handwritten Mathematical Expression Recognition" if formula else "Doc-oriented VQA"
        FILES["ocr"] = pd.DataFrame([{"prediction": text, "answer": repr(item["answers"]), "category": kind}])
        scores = {}
        ocrbench.dump = lambda found, _: scores.update(found)
        with contextlib.redirect_stderr(io.StringIO()):
            ocrbench.OCRBench_eval("ocr")
        return scores["Final Score"]

    def wemath(text, item):
        FILES["math"] = pd.DataFrame([{"prediction": text, "answer": item["answers"][0]}])
        return int(math.load_and_process_data("math")["joker"][0])

    return {**{name: choice for name in CHOICES}, "docvqa": answer("DocVQA", "anls"), "chartqa": answer("ChartQA", "relaxed_accuracy"),
            "ocrbench": ocr, "wemath": wemath}


def main(folder):
    stub_modules(folder)
    table = rules()
    groups = [json.loads(line) for line in gzip.open(GOLDEN / "scorers.jsonl.gz")] + json.loads((GOLDEN / "wemath.json").read_text())
    scores = {}
    for group in groups:
        rule = table.get(group["scoring"])
        if rule is not None:
            row = [rule(reply, group) for reply in group["replies"]]
            scores.setdefault(group["scoring"], []).append([int(v) if v in (0, 1) else v if v is None else round(v, 12) for v in row])
    target = GOLDEN / "official.json.gz"
    with gzip.GzipFile(target, "wb", mtime=0) as file:
        file.write((json.dumps(scores, separators=(",", ":")) + "\n").encode())
    print(f"{target}: {sum(len(row) for rows in scores.values() for row in rows)} scores of {len(scores)} rules, {target.stat().st_size} bytes")


main(sys.argv[1])
