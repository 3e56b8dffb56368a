// Decoded tokens a second of a random decoder with the widths of Qwen3-0.6B (16 layers, 0.41 B
// parameters): ours against transformers' generate, the same weights and prompts in turns, by processor
// time on one thread, prefill not counted. Float32 and bfloat16, one prompt and four of different length.
// Run: PYTHON=<a python with transformers and torch> node bench/generate.ts   (needs 6 GB of memory)
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '../src/core/hash.ts';
import type { Segment } from '../src/model/batch.ts';
import type { OneVisionConfig } from '../src/model/config.ts';
import { Generation } from '../src/model/generation/generation.ts';
import { createOneVision, OneVision } from '../src/model/onevision.ts';
import { ONEVISION_4B, RICE_VIT_L } from '../src/model/presets.ts';
import { type DType, setNumThreads, tidy } from '../src/tensor/index.ts';
import * as ops from '../src/tensor/ops.ts';
import { openSafetensors, saveSafetensors } from '../src/tensor/safetensors.ts';
import { type PythonPeer, startPython } from './support/python-peer.ts';

const TOKENS = Number(process.env['TOKENS'] ?? 16);
const ROUNDS = Number(process.env['ROUNDS'] ?? 3);
const PROMPT_LENGTHS = [57, 20, 110, 33];

const CONFIG: OneVisionConfig = {
  ...ONEVISION_4B,
  vision: { ...RICE_VIT_L, depth: 1, hiddenSize: 64, numHeads: 4, intermediateSize: 64 },
  text: {
    ...ONEVISION_4B.text,
    numLayers: 16,
    hiddenSize: 1024,
    intermediateSize: 3072,
    numHeads: 16,
    ropeTheta: 1e6,
    tieEmbeddings: true,
  },
};

const PYTHON_CODE = `
import json, sys, time
import torch, transformers
from safetensors.torch import load_file
from transformers import Qwen3Config, Qwen3ForCausalLM
torch.set_num_threads(1)
print("ready", flush=True)
for line in sys.stdin:
    task = json.loads(line)
    if "file" in task:
        torch.set_default_dtype(getattr(torch, task["dtype"]))
        model = Qwen3ForCausalLM(Qwen3Config(**task["config"])).eval()
        weights = {k: v for k, v in load_file(task["file"]).items() if k.startswith("model.")}
        missing, unexpected = model.load_state_dict(weights, strict=False)
        assert missing in ([], ["lm_head.weight"]) and not unexpected
        model.tie_weights()
        del weights
        print(transformers.__version__, flush=True)
        continue
    longest = max(map(len, task["prompts"]))
    ids = torch.tensor([[0] * (longest - len(p)) + p for p in task["prompts"]])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in task["prompts"]])
    def run(tokens):
        start = time.process_time()
        with torch.no_grad():
            out = model.generate(ids, attention_mask=mask, do_sample=False, pad_token_id=0,
                                 eos_token_id=None, min_new_tokens=tokens, max_new_tokens=tokens)
        return time.process_time() - start, out
    first, _ = run(1)
    all_, out = run(1 + task["tokens"])
    print(json.dumps({"seconds": all_ - first, "ids": out[:, longest:].tolist()}), flush=True)
`;

interface Timing {
  readonly seconds: number;
  readonly ids: readonly (readonly number[])[];
}

function ours(model: OneVision, prompts: readonly Segment[]): Timing {
  using generation = new Generation(model);
  const replies = generation.add(prompts, { maxNewTokens: TOKENS + 1, stopIds: [] });
  const start = process.cpuUsage();
  while (generation.numActive > 0) generation.step();
  const { user, system } = process.cpuUsage(start);
  return { seconds: (user + system) / 1e6, ids: replies.map(({ ids }) => ids) };
}

async function transformers(peer: PythonPeer, prompts: readonly Segment[]): Promise<Timing> {
  const lists = prompts.map(({ inputIds }) => [...inputIds]);
  return JSON.parse(await peer.ask(JSON.stringify({ prompts: lists, tokens: TOKENS })));
}

function makePrompts(): Segment[] {
  return PROMPT_LENGTHS.map((length) => {
    const random = createRandom('generate', length);
    return { inputIds: Int32Array.from({ length }, () => 100 + random.int(50_000)), images: [] };
  });
}

async function compare(dtype: DType, file: string): Promise<void> {
  using peer = await startPython(PYTHON_CODE);
  const { text } = CONFIG;
  const config = {
    vocab_size: text.vocabSize,
    hidden_size: text.hiddenSize,
    intermediate_size: text.intermediateSize,
    num_hidden_layers: text.numLayers,
    num_attention_heads: text.numHeads,
    num_key_value_heads: text.numKvHeads,
    head_dim: text.headDim,
    rope_parameters: { rope_type: 'default', rope_theta: text.ropeTheta },
    tie_word_embeddings: true,
  };
  const version = await peer?.ask(JSON.stringify({ file, dtype, config }));
  using weights = openSafetensors(file);
  using model = new OneVision(CONFIG, (name) =>
    tidy(() => ops.toCopy(weights.tensor(name), { dtype })),
  );
  for (const numPrompts of [1, PROMPT_LENGTHS.length]) {
    const prompts = makePrompts().slice(0, numPrompts);
    const [mine, theirs]: [Timing[], Timing[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      mine.push(ours(model, prompts));
      if (peer !== undefined) theirs.push(await transformers(peer, prompts));
    }
    const best = (all: readonly Timing[]): number => Math.min(...all.map(({ seconds }) => seconds));
    const rate = (all: readonly Timing[]): string =>
      `${((TOKENS * numPrompts) / best(all)).toFixed(2)} tokens/s`;
    const same = JSON.stringify(mine[0]?.ids) === JSON.stringify(theirs[0]?.ids);
    const other =
      peer === undefined
        ? 'transformers not measured'
        : `transformers ${version} ${rate(theirs)}, ratio ${(best(theirs) / best(mine)).toFixed(2)}` +
          `, ${same ? 'the same' : 'other'} tokens`;
    console.log(`${dtype}, ${numPrompts} prompts: OneVision ${rate(mine)}, ${other}`);
  }
}

setNumThreads(1);
const folder = mkdtempSync(join(tmpdir(), 'onevision-generate-'));
try {
  const file = join(folder, 'model.safetensors');
  {
    using model = createOneVision(CONFIG, { seed: 1, dtype: 'bfloat16' });
    console.log(`${(model.numParameters / 1e9).toFixed(2)} B parameters, ${TOKENS} tokens a reply`);
    await saveSafetensors(file, Object.fromEntries(model.namedParameters()));
  }
  for (const dtype of ['bfloat16', 'float32'] as const) await compare(dtype, file);
} finally {
  rmSync(folder, { recursive: true });
}
