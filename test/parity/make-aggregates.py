"""Golden aggregates and judge verdicts of lmms-eval 0.7.3: seeded scores in, one number out.

    python test/parity/make-aggregates.py FOLDER      # environment and folder as in make-scorers.py
"""

import contextlib
import importlib.util
import io
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).parent
spec = importlib.util.spec_from_file_location("make_scorers", HERE / "make-scorers.py")
scorers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(scorers)
RNG = random.Random(5)


def items(count, columns):
    return [{"uid": str(i), "score": float(RNG.random() < 0.6), "columns": columns(i)} for i in range(count)]


def main(folder):
    scorers.stub_modules(folder)
    from importlib import import_module

    import pandas as pd
    from loguru import logger
    logger.remove()
    task = lambda name: import_module(f"lmms_eval.tasks.{name}")
    cases = []

    def case(name, profile, rows, value):
        cases.append({"scoring": name, "profile": profile, "items": rows, "value": float(value)})

    star, cv, reward, mme = task("mmstar.utils"), task("cv_bench.utils"), task("vl_rewardbench.utils"), task("mme_realworld.utils")
    mmmu, pro, chart = task("mmmu.utils"), task("mmmu_pro.utils"), task("seedbench.utils")
    for size in (20, 75):
        rows = items(size, lambda i: {"l2_category": f"c{RNG.randrange(18)}"})
        case("mmstar", "lmms-head", rows, star.mmstar_aggregate_results([{"score": r["score"], "l2_category": r["columns"]["l2_category"]} for r in rows]))
        rows = items(size, lambda i: {"source": ["ADE20K", "COCO", "Omni3D"][i % 3 if i < 3 else RNG.randrange(3)]})
        results = [{"is_correct": r["score"] == 1, "source": r["columns"]["source"]} for r in rows]
        case("cv-bench", "lmms-head", rows, cv.cv_bench_aggregate_results(results))
        case("cv-bench", "official", rows, cv.cv_bench_default_aggregate_results(results))
        rows = items(size, lambda i: {"group": RNG.choice(["reasoning", "general", "hallucination"])})
        case("vl-rewardbench", "lmms-head", rows, reward.vlrewardbench_aggregate_results([{"score": r["score"], "category": r["columns"]["group"]} for r in rows]))
        rows = items(size, lambda i: {"category": RNG.choice(["Perception/Monitoring", "Reasoning/Remote Sensing", "Perception/Diagram and Table"])})
        case("mme-realworld", "lmms-head", rows, mme.mme_realworld_aggregate_results([
            {"category": r["columns"]["category"].split("/")[0], "sub_category": r["columns"]["category"].split("/")[1], "task_category": "x",
             "pred_answer": "A" if r["score"] else "B", "answer": "A"} for r in rows]))
        rows = items(size, lambda i: {"question_type": "multiple-choice", "subject": RNG.choice(["Art", "Math", "Physics", "History"])})
        with contextlib.redirect_stdout(io.StringIO()):
            case("mmmu", "lmms-head", rows, mmmu.mmmu_aggregate_results([
                {"id": r["uid"], "subdomain": r["columns"]["subject"], "question_type": "multiple-choice", "answer": "A", "parsed_pred": ["A" if r["score"] else "B"]} for r in rows]))
            case("mmmu-pro-vision", "lmms-head", rows, pro.mmmu_pro_aggregate_results([
                {"id": r["uid"], "subject": r["columns"]["subject"], "answer": "A", "parsed_pred": "A" if r["score"] else "B"} for r in rows]))
        rows = items(size, lambda i: {})
        case("seed-bench", "lmms-head", rows, chart.seed_aggregation_result([{"pred": "A" if r["score"] else "B", "answer": "a"} for r in rows]))
        evaluator = task("mmbench.mmbench_evals").MMBench_Evaluator()
        rows = []
        for group in range(size // 3):
            for turn in range(1 + RNG.randrange(4)):
                rows.append({"uid": f"{group}-{turn}", "score": float(RNG.random() < 0.8), "columns": {"index": str(group + 1 + turn * 1_000_000)}})
        frame = [{"index": int(r["columns"]["index"]), "question": "?", "answer": "A", "prediction": "A" if r["score"] else "B", "category": "c",
                  "A": "x", "B": "y", "C": "z", "D": "w"} for r in rows]
        with contextlib.redirect_stdout(io.StringIO()):
            case("mmbench", "lmms-head", rows, evaluator.eval_result(frame, "static")[0])
        wemath, rows = task("wemath.wemath_utils"), []
        for problem in range(size // 2):
            count = 2 + problem % 2
            keys = [f"{count}steps_{n + 1}" for n in range(count)] + [f"{count}steps_multi"]
            rows += [{"uid": f"{problem}-{k}", "score": float(RNG.random() < 0.7), "columns": {"ID": str(problem), "key": k}} for k in keys]
        table = pd.DataFrame([{"ID": r["columns"]["ID"], "key": r["columns"]["key"], "joker": r["score"] == 1} for r in rows])
        total = size // 2
        counts, _ = wemath.compute_final_scores(wemath.calculate_metrics(wemath.process_steps_data(table, 2), wemath.process_steps_data(table, 3)), total)
        for mode in ("strict", "loose"):
            value = (total - 0.5 * counts["InadequateGeneralization"] - counts[f"RoteMemorization_{mode}"] - counts["InsufficientKnowledge"]) / total
            case("wemath", mode, rows, value)
        ocr = task("ocrbench.utils")
        ocr.generate_submission_file = lambda *_, **__: "/dev/null"
        kinds = list(ocr.OCRBench_score)
        rows = items(size, lambda i: {"question_type": RNG.choice(kinds)})
        for kind in kinds:
            ocr.OCRBench_score[kind] = 0
        with contextlib.redirect_stdout(io.StringIO()):
            case("ocrbench", "lmms-head", rows, ocr.ocrbench_aggregate_accuracy([{"question_type": r["columns"]["question_type"], "score": int(r["score"])} for r in rows], None))
    charxiv = task("charxiv.descriptive_utils")
    verdicts = []
    scores = [0, 1, 2, -1, "1", None, True, False, 1.0, 0.0, 0.5, [1]]
    for count in (1, 2, 5):
        for _ in range(60):
            data = {}
            for i in range(1, count + 1):
                if RNG.random() < 0.97:
                    data[f"extract_answer_T{i}"] = RNG.choice(["a", "", 3, "Not Applicable"])
                if RNG.random() < 0.97:
                    data[f"score_T{i}"] = RNG.choice(scores[:2] * 12 + scores)
            text = json.dumps(data)
            text = RNG.choice([text] * 8 + [text[:-1], f" {text}\n", "[]", text + "x"])
            try:
                parsed = json.loads(text)
                charxiv.verify_grading_output(parsed, count)
                result = [int(parsed[f"score_T{i}"]) for i in range(1, count + 1)]
            except Exception:
                result = None
            verdicts.append([text, count, result])
    target = HERE / "golden" / "aggregates.json"
    for one in cases:  # short: uid is not needed, columns are
        one["items"] = [[row["score"], row["columns"]] for row in one["items"]]
    target.write_text(json.dumps({"cases": cases, "verdicts": verdicts}, separators=(",", ":")) + "\n")
    print(f"{target}: {len(cases)} aggregates, {len(verdicts)} verdicts, {target.stat().st_size} bytes")


main(sys.argv[1])
