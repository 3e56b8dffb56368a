"""Golden ids of conversations: transformers' apply_chat_template with the exact Qwen3 tokenizer.

Versions: transformers 5.24.0, tokenizers as it asks for, jinja2.
    python test/parity/make-chat-template.py <folder with Qwen3's tokenizer.json and tokenizer_config.json>

Every conversation goes through two templates: ours (the text that node prints) and Qwen3's own from
tokenizer_config.json. Image and video tokens are repeated in the text, as processors do.
"""

import json
import subprocess
import sys
from pathlib import Path

from transformers import PreTrainedTokenizerFast

folder = Path(sys.argv[1])
here = Path(__file__).parent
ours = subprocess.run(
    ["node", "--disable-warning=ExperimentalWarning", "--input-type=module", "-e",
     "import { chatTemplateSource } from './src/text/chat-template-source.ts';"
     "process.stdout.write(chatTemplateSource())"],
    cwd=here.parent.parent, capture_output=True, text=True, check=True).stdout
theirs = json.loads((folder / "tokenizer_config.json").read_text())["chat_template"]
tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"))

image, video = {"type": "image"}, {"type": "video"}
text = lambda t: {"type": "text", "text": t}
S, U, A = "system", "user", "assistant"
CASES = [  # messages, tokens of images, tokens of videos
    ([(U, "What is 12,345 + 67?")], [], []),
    ([(S, "Be brief."), (U, "Hi"), (A, "Hello!"), (U, "  Zwölf Füchse\n\n  – und\teine Eule…")], [], []),
    ([(U, [image, text("\nWhat is this?")])], [9], []),
    ([(S, "你是助手。"), (U, [text("first "), image, text(" second"), image, text("?")])], [4, 30], []),
    ([(U, [image, text("a")]), (A, "b\n"), (U, [text("And "), image, text("now?")])], [1, 2], []),
    ([(U, [video, text("What happens, don't you think? 🦊🦊 e\u0301 नमस्ते ﬁ½")])], [], [40]),
    ([(U, "def f(x):\n    return x**2  # 3.14\r\n\r\n")], [], []),
]
golden = []
for messages, images, videos in CASES:
    rendered = [{"role": r, "content": c} for r, c in messages]
    ids = []
    for template in (ours, theirs):
        if template is theirs and any(not isinstance(c, str) for _, c in messages):
            ids.append(None)  # Qwen3's own template knows no images
            continue
        out = tokenizer.apply_chat_template(
            rendered, chat_template=template, tokenize=False, add_generation_prompt=True)
        if not images and not videos:
            direct = tokenizer.apply_chat_template(
                rendered, chat_template=template, tokenize=True, add_generation_prompt=True)
            direct = direct if isinstance(direct, list) else direct["input_ids"]
            assert direct == tokenizer(out)["input_ids"]
        for pad, counts in (("<|image_pad|>", images), ("<|video_pad|>", videos)):
            pieces = out.split(pad)
            assert len(pieces) == len(counts) + 1
            out = pieces[0] + "".join(pad * n + p for n, p in zip(counts, pieces[1:]))
        ids.append(tokenizer(out)["input_ids"])
    content = lambda c: c if isinstance(c, str) else "".join(p.get("text", f"<{p['type']}>") for p in c)
    golden.append({
        "messages": [{"role": r, "content": content(c)} for r, c in messages],
        "images": images, "videos": videos, "ours": ids[0], "theirs": ids[1],
    })
target = here / "golden" / "chat-template.json"
target.write_text(json.dumps(golden, separators=(",", ":"), ensure_ascii=False) + "\n")
print(f"{target}: {len(golden)} conversations, {target.stat().st_size} bytes")
