"""Golden scores of lmms-eval 0.7.3 on WeMath, and of its words for CharXiv's questions as hashes.

    pip download --no-deps lmms-eval==0.7.3    # unzip the wheel into a folder
    pip install math-verify==0.8.0 latex2sympy2_extended==1.10.2 antlr4-python3-runtime==4.13.2 \\
        numpy pandas==2.3.3 pyyaml loguru pillow tqdm requests openpyxl
    python test/parity/make-wemath.py FOLDER

Inputs as in make-scorers.py, whose helpers are used; math_verify is the real one here (it does not install
beside latex2sympy2). Written: inputs and outputs, nothing of the package.
"""

import hashlib
import importlib.util
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("make_scorers", HERE / "make-scorers.py")
scorers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(scorers)
RNG = scorers.RNG = random.Random(19)

FORMS = ["<think>{n}</think><answer>{r}</answer>", "<think>Let us see.\n{n}</think>\n<answer>\n{r}\n</answer>", "<answer>{r}</answer>",
         "<answer>{r}</answer> or <answer>{n}</answer>", "\\boxed{{r}}", "So \\boxed{{n}}, no: \\boxed{{r}}.", "\\boxed{\\text{{r}}}", "{r}",
         "The answer is {r}", "<think>{r}</think>{n}", "<answer>{r}", "{n}\nThe result is 42", "{r}\n7.5.", "<ANSWER>{r}</ANSWER>", "<answer></answer>{r}"]


def replies_of(options, gold):
    replies = []
    for _ in range(24):
        place = gold if RNG.random() < 0.5 else RNG.randrange(len(options))
        inner = scorers.noise(RNG) if RNG.random() < 0.15 else scorers.fill(RNG.choice(scorers.PHRASES), options, place, RNG)
        form = RNG.choice(FORMS) if RNG.random() < 0.85 else "<answer>{r}</answer>"
        replies.append(form.replace("{r}", inner).replace("{n}", scorers.noise(RNG)))
    return list(dict.fromkeys(replies))


def wemath(utils):
    for index in range(60):
        options = scorers.LONG_OPTIONS[:8] if index % 3 == 0 else scorers.OPTION_SETS[index % len(scorers.OPTION_SETS)]
        gold = RNG.randrange(len(options))
        answer = scorers.LETTERS[gold]
        doc = {"answer": answer, "question": "?", "option": "", **{k: "" for k in ["ID", "split", "knowledge concept", "key", "question number",
                                                                                  "knowledge concept description"]}}
        replies = replies_of(options, gold)
        scores = [int(utils.wemath_reasoning_process_results(doc, [reply])["acc_score"]) for reply in replies]
        yield {"scoring": "wemath", "answers": [answer], "options": options, "replies": replies, "head": scores}


def charxiv(utils):
    places = [[0, 0], [1, 2], [3, 1], "the inset on the left"]
    return [[sort, place, hashlib.sha256(utils.descriptive_query_helper(sort, place).encode()).hexdigest()[:16]] for sort in range(1, 20) for place in places]


def main(folder):
    scorers.stub_modules(folder)
    from importlib import import_module
    groups = list(wemath(import_module("lmms_eval.tasks.wemath.reasoning.utils")))
    questions = charxiv(import_module("lmms_eval.tasks.charxiv.descriptive_utils"))
    target = HERE / "golden" / "wemath.json"
    target.write_text(json.dumps(groups, ensure_ascii=False, separators=(",", ":")) + "\n")
    words = HERE / "golden" / "charxiv-questions.json"
    words.write_text(json.dumps(questions, separators=(",", ":")) + "\n")
    print(f"{target}: {sum(len(g['replies']) for g in groups)} pairs, {sum(sum(g['head']) for g in groups)} right; {words}: {len(questions)} questions")


main(sys.argv[1])
