"""Verdicts of math_verify on pairs of mathematical answers, for our strict equality.

    pip install math-verify==0.8.0 latex2sympy2_extended==1.10.2 antlr4-python3-runtime==4.13.2
    python test/parity/make-math-verify.py
"""

import json
import logging
import random
from pathlib import Path

from math_verify import parse, verify

logging.disable(logging.CRITICAL)
RNG = random.Random(3)
EQUAL = [
    ["\\frac{1}{2}", "0.5", "1/2", "\\dfrac{1}{2}", "\\tfrac12", "\\frac{2}{4}"],
    ["\\sqrt{12}", "2\\sqrt{3}", "2\\sqrt3"], ["2\\pi", "\\pi\\cdot2", "\\frac{4\\pi}{2}"],
    ["x^2+2x+1", "(x+1)^2", "1+2x+x^2"], ["5", "5.0", "\\frac{10}{2}", "x=5"], ["-3", "-\\frac{6}{2}"],
    ["1000", "1,000", "10^3"], ["(1,2)", "(1, 2)", "(1,\\frac{4}{2})"], ["\\{1,2,3\\}", "\\{3,1,2\\}"],
    ["\\log_{2}{8}", "3", "\\sqrt{9}"], ["e^{2}", "e^2"], ["\\frac{\\sqrt{3}}{2}", "\\frac{1}{2}\\sqrt{3}"],
    ["3x-6", "3(x-2)"], ["\\frac{x+1}{2}", "\\frac{x}{2}+\\frac{1}{2}"], ["7", "4+3"], ["24", "4!"],
    ["\\frac{1}{\\sqrt{2}}", "\\frac{\\sqrt{2}}{2}"], ["a+b", "b+a"], ["2^{10}", "1024"], ["\\frac{22}{7}", "22/7"],
]


def ask(gold, answer):
    try:
        return bool(verify(parse(f"${gold}$", parsing_timeout=5), parse(f"${answer}$", parsing_timeout=5), timeout_seconds=5))
    except Exception:
        return None


pairs = [(a, b) for group in EQUAL for a in group for b in group if a != b]
flat = [a for group in EQUAL for a in group]
while len(pairs) < 420:
    pairs.append((RNG.choice(flat), RNG.choice(flat)))
rows = [[a, b, ask(a, b)] for a, b in pairs]
target = Path(__file__).parent / "golden" / "math-verify.json"
target.write_text(json.dumps([row for row in rows if row[2] is not None], separators=(",", ":")) + "\n")
print(f"{target}: {len(rows)} pairs, {sum(r[2] is True for r in rows)} equal, {target.stat().st_size} bytes")
