"""Golden scores of lmms-eval's scoring functions, old (0.5.0, the paper's code) and new (0.7.3).

    pip download --no-deps lmms-eval==0.5.0 lmms-eval==0.7.3    # unzip each wheel into a folder
    pip install numpy==2.4.6 scipy pandas pyyaml sympy==1.14.0 loguru Levenshtein requests tqdm pillow \
        openpyxl sacrebleu pytz latex2sympy2==1.9.1
    python test/parity/make-scorers.py OLD_FOLDER NEW_FOLDER

Inputs are made here from a seed; the functions come from the packages, whose heavy imports are
replaced by empty modules. Written: inputs and outputs, nothing of the packages. A score of null
means that the function drew at random or asked a judge.
"""

import contextlib
import gzip
import io
import json
import random as seeded
import subprocess
import sys
import types
from pathlib import Path

HERE = Path(__file__).parent
RNG = seeded.Random(20261126)
LETTERS = "ABCDEFGHIJ"


class Drawn(Exception):
    """The function reached its random fallback or its judge."""


# ---------------------------------------------------------------- inputs

OPTION_SETS = [
    ["a red car", "the blue bus", "two dogs", "none of the above"],
    ["cat", "dog", "fox", "hen"],
    ["3", "4", "5", "6"],
    ["$12.50", "$1,250", "12.5%", "0.125"],
    ["Paris", "London", "New York", "Both A and B"],
    ["yes", "no", "maybe", "cannot be determined"],
    ["Ünïcödé", "naïve café", "東京", "北京"],
    ["left", "right", "in front of", "behind"],
    ["\\frac{1}{2}", "\\sqrt{3}", "2\\pi", "x^2"],
    ["An apple", "Bananas", "Cherries", "Dates"],
    ["<image 1>", "<image 2>", "<image 3>", "<image 4>"],
    ["10 cm", "12 cm", "15 cm", "20 cm"],
]
LONG_OPTIONS = ["mercury", "venus", "earth", "mars", "jupiter", "saturn", "uranus", "neptune", "pluto", "ceres"]
PHRASES = [
    "{L}", "{L}.", "({L})", "{L}) {o}", "{L}. {o}", "{L}: {o}", "**{L}**", "{o}", "Answer: {L}",
    "The answer is {L}", "The answer is {L}.", "The correct answer is ({L}).",
    "The correct answer is **{L}**. Here is why: option A shows a car.", "Option {L}", "option {l}",
    "I think it is {L}.", "\\boxed{{{L}}}", "{l}", "<answer>{L}</answer>", "{L}\n\nBecause the picture shows it.",
    "A closer look shows {o}, so {L}.", "Both A and B are visible, but the answer is {L}.",
    "It is not A. The answer is {L}.", "As shown in the image, {o}.", "答案是{L}", "选{L}。",
    "Let us compare A, B, C, and D. Final answer: {L}", "I cannot determine this.", "",
    " {L} ", "\n{L}\n", "{L},", "{L};", "({L}", "{L})", "[{L}]", "'{L}'", "\"{L}\"", "`{L}`", "({l})", "{l}.",
    "Answer:{L}", "answer is {L}", "ANSWER IS {L}", "The best answer is {L}", "The best option is: {L}",
    "Best answer: {L}", "Best option: {L}", "The correct option is {L}.", "I choose {L}", "I select ({L})",
    "I pick {L}!", "My answer is {L}", "정답은 {L}입니다", "답: {L}", "答えは{L}です", "答案为{L}", "正确选项：（{L}）",
    "{L} or {M}", "{L} and {M}", "Either {L} or {M}", "{L}/{M}", "not {L} but {M}", "{M}? No, {L}.",
    "({M}) is wrong, ({L}) is right", "{L}. {o}\n{M}. {p}", "{o} ({L})", "{o}", "{O}", "{o}.", "{o} and {p}",
    "The picture shows {o} clearly in the middle of the street.", "It is {o}, not {p}.",
    "A dog stands in front of {o}", "Beautiful", "Definitely {o}", "E", "F", "Z", "Ｂ", "（{L}）", "{L}．", "{L}、{o}",
    "{L}\u2028{o}", "\u00a0{L}\u00a0", "\x1c{L}\x1f", "\ufeff{L}", "{L}\r\n", "\t({L})\t", "{L}\u3000{o}",
    "<think>A seems right. B too.</think>{L}", "Sorry, I can't help with images of people yet.",
    "I'm sorry, but I cannot see the image.", "The answer", "the answer is", "The answer is: {o}", "{L}{M}",
    "Answer: {L}{M}", "{L} {L} {L}", "option {L}", "choice {L}", "CHOICE: {L}", "THE OPTION IS {L}",
    "Based on the image, the correct choice is {L} because of {o}.", "{l} {o}", "- {L}", "1. {L}", "#{L}", "@{L}",
    "{L}-{o}", "{L}_{o}", "{L}?", "{L}!", "...{L}...", "''{L}''", ":{L}", ":{L}.", ":{L},", "({L}).", "{L}).", "{L}:",
    "𝐁", "😀 {L}", "{L}😀", "é{L}", "{L}é", "ſ", "K", "İ", "ı {L}", "ß{L}", "Failed to obtain answer via API",
    "Failed to obtain answer via API {L}", "A {o}", "A B C D {L}", "a", "none", "nan", "None of these. {L}",
    "{L}" * 40, "Because " * 60 + "{L}", "The " * 30 + "answer is {L}", "word " * 12, "lower case words only here " * 3,
]
NUMBERS = ["0", "1", "2", "3", "7", "10", "12", "19", "20", "21", "42", "100", "105", "2019", "2020", "1000", "1,000", "1.5",
           "0.5", ".5", "3.14", "3.145", "2.675", "-3", "+4", "1e3", "1E-2", "12%", "0.12", "5%", "100%", "$5", "1_000", " 7 ",
           "7.0", "007", "nan", "inf", "-inf", "infinity", "１２", "٣", "½", "1/2", "0.0", "-0", "1e400", "12.", "--1", "1 000",
           "10 %", "%", "5%%", "1,234,567", "12,34", "three", "Three", "none", "zero", "twenty", "twenty-one", "eleven", "no",
           "One", "two dogs", "There are 3 dogs", "3 dogs and 2 cats", "3.5 apples", "about 12", "12 (twelve)", "a dozen",
           "I count 7.", "7 objects", "Answer: 7", "The answer is 7.", "seven.", "- 7", "7\n", "7\u00a0", "[1, 2, 3]", "[1,2,3]"]
WORDS = ["Yes", "yes", "No", "no.", "blue", "Blue ", "light blue", "Downhill", "the quick brown fox", "University of California",
         "university of  california", "ITC Limited", "itc limited.", "January 5, 2020", "5 January 2020", "café", "cafe\u0301", "CAFÉ",
         "straße", "STRASSE", "İstanbul", "istanbul", "东京", "東京", "😀a", "😀", "hello\nworld", "hello world", "HELLO WORLD",
         "ｈｅｌｌｏ", "a　b", "a b", "\\frac{a}{b}", "\\frac { a } { b }", "x ^ { 2 } + 1", "x^{2}+1", "X^{2}+1", "a", "1", "",
         " ", "not applicable", "N/A", "it is blue", "so the answer is blue", "result = 5", "thus x = 3.5", "could be 1,000",
         "The final answer is 42 km", "therefore 6.02e23", "x", "is ", "answer is :", "final 12", "= 3", "y = = 4",
         "line one is red\nline two is blue", "is A. So B", "6.02E+23", "-1,234.5", "1,23", "v2.0.1", "3-4", "a1b2", "10,000 and 5",
         "value is 2.675", "it is 1e5.", "naïve", "O'Neil", "“quoted”", "long " * 40]
MATH = ["5", "-5", "5.0", "0.5", "\\frac{1}{2}", "1/2", "\\frac12", "\\dfrac{3}{4}", "\\tfrac{3}{4}", "0.75", "\\sqrt{2}", "\\sqrt2",
        "2\\sqrt{3}", "3\\pi", "\\pi", "6\\pi", "2^{3}", "2^3", "8", "x^2", "x+1", "(1,2)", "(1, 2)", "[1,2]", "(\\frac{1}{2},3)",
        "(0.5,3)", "\\{1,2\\}", "10\\%", "10%", "45^\\circ", "45^{\\circ}", "45", "12\\text{ cm}", "12\\text{cm}", "12 cm", "12",
        "x=5", "x = 5", "\\approx 3.14", "3.14", "3.141", "\\infty", "-\\infty", "+\\infty", "1,000", "1000", "10^{3}", "\\left(1,2\\right)",
        "\\log_{2}{8}", "\\log_2 8", "\\ln{e}", "\\sin{30}", "\\frac{\\sqrt{3}}{2}", "0.866", "\\frac{2\\pi}{3}", "2.09", "1:2", "1 : 2",
        "a", "A", "b", "(a)", "{a}", "3!", "6", "|-3|", "3 \\times 4", "3 \\cdot 4", "3*4", "12/5", "2.4", "2\\frac{1}{2}", "2.5", "\\$5",
        "$5$", ".5", "{.5}", "5.", "-\\frac{1}{3}", "-0.33", "-0.333", "0.333", "\\frac{1}{3}", "10 units", "10units", "3km", "7m^3",
        "\\text{A}", "\\mathrm{A}", "\\textbf{B}", "e", "e^2", "7.39", "2+3", "2-3", "(2+3)4", "2(3+4)", "14", "5x", "\\frac{x}{2}", "1e3", "",
        "36\\sqrt{3}+\\pi", "65.49", "\\sqrt[3]{27}", "3.0", "3", "\\binom{4}{2}", "7\\frac{1}{7}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}", "5\\,"]
MATH_FORMS = ["{m}", "\\boxed{{{m}}}", "The answer is {m}.", "the final answer is {m}", "So $\\boxed{{{m}}}$.", "Therefore x is {m}.",
              "Thus the answer should be {m}. Done.", "\\boxed{{1}} then \\boxed{{{m}}}", "First, 3+4=7.\nThe correct answer is {m}\nok",
              "x = {m}", "\\[ \\boxed{{{m}}} \\]", "We get {m}", "The answer is: {m}", "{m} is right", "**{m}**", "\\boxed{{x={m}}}"]


def fill(phrase, options, index, rng):
    other = rng.randrange(len(options))
    text = phrase.replace("{{", "\0").replace("}}", "\1")
    for key, value in [("{L}", LETTERS[index]), ("{l}", LETTERS[index].lower()), ("{M}", LETTERS[other]),
                       ("{O}", options[index].upper()), ("{o}", options[index]), ("{p}", options[other])]:
        text = text.replace(key, value)
    return text.replace("\0", "{").replace("\1", "}")


def noise(rng):
    alphabet = "ABCDEabcd .,:;!?()[]{}'\"\n\t*#-_/\\0123456789 é東😀\u00a0%$answer is the option"
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(1, 40)))


def choice_replies(options, count, rng, gold=None):
    replies = []
    for _ in range(count):
        place = gold if gold is not None and rng.random() < 0.5 else rng.randrange(len(options))
        roll = rng.random()
        if roll < 0.1:
            replies.append(noise(rng))
        elif roll < 0.2:
            replies.append(" ".join(fill(rng.choice(PHRASES), options, rng.randrange(len(options)), rng) for _ in range(2)))
        else:
            replies.append(fill(rng.choice(PHRASES), options, place, rng))
    return replies


def choice_groups(name, groups, per_group, wide=False, columns=None):
    for index in range(groups):
        options = LONG_OPTIONS if wide and index % 3 == 0 else OPTION_SETS[index % len(OPTION_SETS)]
        if not wide and index % 7 == 6:
            options = options[:2]
        gold = RNG.randrange(len(options))
        item = {"answers": [LETTERS[gold]], "options": options}
        if columns:
            item["columns"] = columns(index)
        yield name, item, choice_replies(options, per_group, RNG, gold)


def sample_replies(pool, count, decorate=None):
    replies = []
    for _ in range(count):
        text = RNG.choice(pool)
        roll = RNG.random()
        if decorate and roll < 0.4:
            text = RNG.choice(decorate).replace("{}", text)
        elif roll < 0.5:
            text = RNG.choice([text.upper(), text.lower(), f" {text}", f"{text}.", f"{text} ", f"It is {text}", f"{text}\n{RNG.choice(pool)}"])
        elif roll < 0.55:
            text = noise(RNG)
        replies.append(text)
    return replies


def text_groups(name, golds, per_group, columns=None, many=True):
    for index, gold in enumerate(golds):
        answers = [gold] + ([RNG.choice(WORDS + NUMBERS) for _ in range(index % 3)] if many else [])
        item = {"answers": answers}
        if columns:
            item["columns"] = columns(index)
        near = [gold, gold + "s", gold[:-1], gold.upper(), gold.replace(" ", ""), f"{gold}%", f"The answer is {gold}", *answers]
        pool = near * (len(WORDS + NUMBERS) // len(near)) + WORDS + NUMBERS
        yield name, item, sample_replies(pool, per_group)


def make_groups():
    yield from choice_groups("mmmu", 60, 24, wide=True, columns=lambda i: {"question_type": "multiple-choice"})
    yield from text_groups("mmmu", [g for g in WORDS + NUMBERS if g.strip()], 10, lambda i: {"question_type": "open"}, many=False)
    yield from choice_groups("mmmu-pro", 30, 24, wide=True)
    yield from choice_groups("mmmu-pro-vision", 30, 20)
    yield from choice_groups("mmbench", 60, 24)
    yield from choice_groups("mme-realworld", 60, 24)
    yield from choice_groups("ai2d", 50, 24)
    yield from choice_groups("cv-bench", 50, 24)
    yield from choice_groups("vstar", 60, 24)
    yield from choice_groups("mmstar", 60, 24)
    yield from choice_groups("seed-bench", 50, 24)
    yield from choice_groups("scienceqa", 50, 24)
    for index, (name, item, replies) in enumerate(choice_groups("realworldqa", 60, 24)):
        lines = "\n".join(f"{LETTERS[i]}. {o}" for i, o in enumerate(item["options"]))
        item["question"] = f"What is shown?\n{lines}\nPlease answer directly with only the letter." if index % 4 else "How many?"
        if index % 4 == 0:
            item["answers"] = [RNG.choice(["0", "2", "3", "Downhill", "Yes", "No", "10", "Two"])]
            replies = sample_replies(NUMBERS + WORDS + item["answers"] * 8, 24)
        yield name, item, replies
    yield from text_groups("chartqa", [g for g in NUMBERS + WORDS], 12, many=False)
    yield from text_groups("docvqa", WORDS + NUMBERS[:30], 16)
    yield from text_groups("pixmo-count", NUMBERS, 12, many=False)
    yield from text_groups("countbench", NUMBERS[:16], 30, many=False)
    yield from text_groups("countbenchqa", NUMBERS[:16], 20, many=False)
    kinds = ["Regular Text Recognition", "Scene Text-centric VQA", "Handwritten Mathematical Expression Recognition"]
    yield from text_groups("ocrbench", WORDS + NUMBERS[:30], 16,
                           lambda i: {"dataset": "HME100k" if i % 3 == 2 else "TextVQA", "question_type": kinds[i % 3]})
    for index in range(90):
        options = OPTION_SETS[index % len(OPTION_SETS)] if index % 3 == 0 else []
        kind = "text" if options else ["integer", "float", "list"][index % 3] if index % 3 else "text"
        precision = "1" if index % 2 else "2"
        if options:
            answers, pool = [RNG.choice(options)], options + WORDS
            replies = [r for r in sample_replies(pool, 10)] + choice_replies(options, 10, RNG)
        else:
            value = RNG.choice([n for n in NUMBERS])
            answers = [value if kind == "list" else {"integer": str(RNG.randrange(50)), "float": f"{RNG.randrange(500) / 7:.{precision}f}"}[kind]]
            plain = [n for n in NUMBERS if n.strip(" +-").replace(".", "").isalnum()]
            replies = sample_replies(plain, 8) + [RNG.choice(plain + [answers[0], f" {answers[0]} ", f"{answers[0]}0"]) for _ in range(12)]
        yield "mathvista", {"answers": answers, "options": options, "columns": {
            "question_type": "multi_choice" if options else "free_form", "answer_type": kind, "precision": precision}}, replies
    for index in range(110):
        options = [] if index % 3 else [RNG.choice([m for m in MATH if m]) for _ in range(5)]
        answers = [LETTERS[RNG.randrange(5)]] if options else [RNG.choice([m for m in MATH if m])]
        gold = options[LETTERS.index(answers[0])] if options else answers[0]
        replies = []
        for _ in range(20):
            pick = RNG.choice([gold, gold, RNG.choice(MATH), answers[0], RNG.choice(options or MATH)])
            replies.append(RNG.choice(MATH_FORMS).replace("{{", "{").replace("}}", "}").replace("{m}", pick))
            if options and RNG.random() < 0.2:
                replies[-1] = fill(RNG.choice(PHRASES), options, LETTERS.index(answers[0]), RNG)
        yield "mathvision", {"answers": answers, "options": options}, replies
    verdicts = ["Overall Judgment: Answer {n} is better.", "**Overall Judgment:** Answer {n} is slightly better.",
                "Therefore, Answer {n} is the better one", "Therefore, I think Answer {n} is better", "Answer {n} is better.",
                "overall judgment\n- Answer {n} is the slightly better response.", "1. ok\n2. fine\nOverall Judgment: Answer 1 is worse; Answer {n} is better.",
                "Overall Judgment: Both. Therefore Answer  {n}  is better than Answer 1 is better", "Overall judgement: Answer {n} is better.",
                "Overall Judgment: Answer {n} is\nbetter.", "Overall Judgment --- Answer{n} is better", "", "I cannot say.", "Therefore Answer two is better"]
    for index in range(20):
        replies = [RNG.choice(verdicts).replace("{n}", RNG.choice("12123")) for _ in range(12)]
        yield "vl-rewardbench", {"answers": [str(1 + index % 2)]}, replies


# ---------------------------------------------------------------- the packages' functions

def stub_modules(folder):
    sys.path.insert(0, folder)
    root = Path(folder) / "lmms_eval"

    def module(name, path=None, **attributes):
        made = types.ModuleType(name)
        if path:
            made.__path__ = [str(path)]
        made.__dict__.update(attributes)
        sys.modules[name] = made
        return made

    module("lmms_eval", root)
    for name in ["tasks", "api", "filters"]:
        module(f"lmms_eval.{name}", root / name)
    for task in (root / "tasks").iterdir():
        if task.is_dir():
            module(f"lmms_eval.tasks.{task.name}", task)
    anything = lambda *_, **__: (lambda f: f)
    class Any:
        def __init__(self, *_, **__): pass
        def __call__(self, *_, **__): raise Drawn
        def __getattr__(self, _): return Any()
    module("evaluate")
    module("datasets")
    module("openai", OpenAI=Any, AzureOpenAI=Any)
    module("cv2")
    module("lmms_eval.llm_judge", ServerConfig=Any, Request=Any, get_server=lambda *_, **__: Any())
    for name in ["lmms_eval.verifiers", "lmms_eval.verifiers.openai", "lmms_eval.verifiers.extractors"]:
        module(name, root, VerificationPipeline=Any, OpenAIVerifier=Any, StripReasoningExtractor=Any)
    module("lmms_eval.api.registry", register_metric=anything, register_aggregation=anything, register_filter=anything)
    module("lmms_eval.api.filter", Filter=type("Filter", (), {"__init__": lambda self, *a, **k: None}))


def drawn(*_, **__):
    raise Drawn


def scorers(folder):
    stub_modules(folder)
    from importlib import import_module

    def task(name):
        return import_module(f"lmms_eval.tasks.{name}")
    has = lambda path: (Path(folder) / "lmms_eval" / path).exists()
    metrics = import_module("lmms_eval.api.metrics")
    mmmu, pro = task("mmmu.utils"), task("mmmu_pro.utils")
    for part in [mmmu, pro] + ([task("_task_utils.mmmu_mcq_utils")] if has("tasks/_task_utils/mmmu_mcq_utils.py") else []):
        if hasattr(part, "random"):
            part.random = types.SimpleNamespace(choice=drawn)
    letters = lambda item: {LETTERS[i]: o for i, o in enumerate(item["options"])}

    def run_mmmu(text, item):
        kind = item["columns"]["question_type"]
        doc = {"id": "validation_Art_1", "question_type": kind, "options": repr(item.get("options", [])), "answer": item["answers"][0]}
        return mmmu.evaluate_mmmu([mmmu.mmmu_process_results(doc, [text])["mmmu_acc"]])[1]["acc"]

    def run_pro(text, item, vision=False):
        doc = {"id": "1", "subject": "Art", "options": repr(item["options"]), "answer": item["answers"][0]}
        if not vision:
            doc["question"] = "?"
        return pro.evaluate_mmmu([pro.mmmu_pro_process_results(doc, [text])["mmmu_acc"]])[1]["acc"]

    mmbench = task("mmbench.mmbench_evals").MMBench_Evaluator()
    mmbench.get_chat_response = drawn
    def run_mmbench(text, item):
        import pandas as pd
        row = {"index": 1, "prediction": text, **{c: item["options"][i] if i < len(item["options"]) else float("nan") for i, c in enumerate("ABCD")}}
        frame = pd.DataFrame([row])
        if has("tasks/_task_utils/mcq_extract.py"):
            return mmbench.eval_sub_data(frame, {1: item["answers"][0]}, static_only=True)
        found = mmbench.prefetch_answer(frame.iloc[0])
        if not found:
            raise Drawn
        return int(found == item["answers"][0])

    mme = task("mme_realworld.utils")
    def run_mme(text, item):
        doc = {"index": 1, "category": "Perception/Monitoring", "l2-category": "x", "answer": item["answers"][0]}
        result = mme.mme_realworld_process_results(doc, [text])["mme_realworld_score"]
        return mme.mme_realworld_aggregate_results([result])

    ai2d = task("ai2d.utils")
    exact = lambda text, gold: float(metrics.exact_match_hf_evaluate([text], [gold], ignore_case=True, ignore_punctuation=True)["exact_match"])
    def run_ai2d(text, item):
        return exact(ai2d.MultiChoiceRegexFilter.apply(None, [[text]], [{}])[0], item["answers"][0])

    vstar = task("vstar_bench.utils")
    def run_vstar(text, item):
        doc = {"label": item["answers"][0], "category": "c", "question_id": 1, "text": ""}
        return vstar.vstar_process_results(doc, [text])["vstar_overall_acc"]["score"]

    mmstar, seed, plus, sqa = task("mmstar.utils"), task("seedbench.utils"), task("seedbench_2_plus.utils"), task("scienceqa.utils")
    def run_seed(text, item):
        one = seed.seed_aggregation_result([seed.seed_process_result({"answer": item["answers"][0], "data_type": "image", "question_id": 1}, [text])["seed_all"]])
        two = plus.seed_aggregation_result([plus.seed_process_result({"answer": item["answers"][0], "question_image_type": "map", "question_id": 1}, [text])["seedbench_2_plus_all"]])
        assert one == two
        return one

    rwqa = task("realworldqa.utils")
    old_rwqa = "rwqa" if "filter_list" in (Path(folder) / "lmms_eval/tasks/realworldqa/realworldqa.yaml").read_text() else ""
    def run_rwqa(text, item):
        doc = {"question": item["question"], "answer": item["answers"][0]}
        if not old_rwqa:
            return rwqa.realworldqa_process_results(doc, [text])["exact_match"]
        words = rwqa.NumberWordsToDigitsFilter().apply([[text]], [doc])
        return exact(rwqa.MultiChoiceRegexFilter.apply(None, words, [doc])[0], item["answers"][0])

    chart, ocr = task("chartqa.utils"), task("ocrbench.utils")
    def run_ocr(text, item):
        doc = {"answer": item["answers"] if len(item["answers"]) > 1 else item["answers"][0], **item["columns"]}
        return ocr.ocrbench_process_results(doc, [text])["ocrbench_accuracy"]["score"]

    vista = task("mathvista.mathvista_evals").MathVistaEvaluator()
    vista.get_chat_response = drawn
    vista.create_test_prompt = drawn
    def run_vista(text, item):
        c = item["columns"]
        problem = {"question_type": c["question_type"], "answer_type": c["answer_type"], "choices": item["options"], "query": ""}
        if text.strip():
            with contextlib.redirect_stderr(io.StringIO()):
                quick = "drawn"
                def ask(*_, **__):
                    nonlocal quick
                    quick = None
                    return ""
                vista.get_chat_response, vista.create_test_prompt = ask, (lambda *_: "")
                extraction = vista.extract_answer(text.strip(), problem)
            if quick is None:
                raise Drawn
        else:
            extraction = ""
        value = vista.normalize_extracted_answer(extraction, item["options"], c["question_type"], c["answer_type"], int(c["precision"]))
        return int(vista.safe_equal(value, item["answers"][0]))

    vision = task("mathvision.utils")
    import latex2sympy2
    def run_vision(text, item):
        latex2sympy2.set_variances({})  # it remembers "x = 5" for ever: each verdict as in a new process
        doc = {"answer": item["answers"][0], "options": item["options"], "question": ""}
        return int(vision.mathvision_process_results(doc, [text])["mathvision_standard_eval"]["scores"][0])

    reward = task("vl_rewardbench.utils")
    reward.parse_by_llm = drawn
    table = {
        "mmmu": run_mmmu, "mmmu-pro": run_pro, "mmmu-pro-vision": lambda t, i: run_pro(t, i, True), "mmbench": run_mmbench,
        "mme-realworld": run_mme, "ai2d": run_ai2d, "vstar": run_vstar, "seed-bench": run_seed, "realworldqa": run_rwqa,
        "mmstar": lambda t, i: mmstar.exact_match(t, i["answers"][0]),
        "scienceqa": lambda t, i: sqa.sqa_process_results({"choices": i["options"], "answer": LETTERS.index(i["answers"][0])}, [t])["exact_match"],
        "chartqa": lambda t, i: chart.chartqa_process_results({"type": "human_test", "answer": i["answers"][0]}, [t])["relaxed_overall"],
        "docvqa": lambda t, i: metrics.anls(i["answers"], [t])["anls"], "ocrbench": run_ocr, "mathvista": run_vista, "mathvision": run_vision,
        "vl-rewardbench": lambda t, i: float(str(reward.parse_pred_ans(t)) == i["answers"][0]),
    }
    if has("tasks/cv_bench/utils.py"):
        cv, pixmo, count, countqa = task("cv_bench.utils"), task("pixmo_count.utils"), task("countbench.utils"), task("countbenchqa.utils")
        table["cv-bench"] = lambda t, i: int(cv.cv_bench_process_results({"answer": f"({i['answers'][0]})", "idx": 0, "type": "", "task": "", "source": ""}, [t])["cv_bench_acc"]["is_correct"])
        table["pixmo-count"] = lambda t, i: pixmo.pixmo_count_process_results({"answer": i["answers"][0]}, [t])["acc"]
        table["countbench"] = lambda t, i: count.countbench_process_results({"number": i["answers"][0]}, [t])["acc"]
        table["countbenchqa"] = lambda t, i: countqa.countbenchqa_process_results({"number": i["answers"][0]}, [t])["acc"]
    return table


def score_all(folder):
    groups = json.load(sys.stdin)
    from loguru import logger
    logger.remove()
    table = scorers(folder)
    results = []
    with contextlib.redirect_stdout(io.StringIO()):
        for name, item, replies in groups:
            run = table.get(name)
            row = []
            for reply in replies:
                if run is None:
                    row.append("absent")
                    continue
                try:
                    row.append(round(float(run(reply, item)), 12))
                except Drawn:
                    row.append(None)
                except Exception as error:
                    row.append(f"raises {type(error).__name__}")
            results.append(row)
    json.dump(results, sys.stdout)


def main(old, new):
    groups = [(name, item, list(dict.fromkeys(replies))) for name, item, replies in make_groups()]
    runs = [json.loads(subprocess.run([sys.executable, __file__, "--score", folder], input=json.dumps(groups), capture_output=True,
                                      text=True, check=True).stdout) for folder in (old, new)]
    target = HERE / "golden" / "scorers.jsonl.gz"
    pairs = 0
    with gzip.GzipFile(target, "wb", mtime=0) as file:
        for (name, item, replies), *rows in zip(groups, *runs):
            line = {"scoring": name, **item, "replies": replies}
            for key, row in zip(["v05", "head"], rows):
                if row[0] != "absent":
                    line[key] = [int(value) if value in (0, 1) else value for value in row]
                    pairs += len(row)
            file.write((json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n").encode())
    distinct = sum(len(replies) for _, _, replies in groups)
    print(f"{target}: {distinct} pairs of reply and gold, {pairs} scores, {target.stat().st_size} bytes")


if __name__ == "__main__":
    score_all(sys.argv[2]) if sys.argv[1] == "--score" else main(*sys.argv[1:3])
