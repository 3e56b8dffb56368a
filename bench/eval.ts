// Items a second of a whole evaluation with a random decoder of 42 M parameters on drawn ScienceQA rows
// without pictures: our runner (batched, sorted, KV cache) against our engine one by one and against
// transformers' generate one by one and in padded batches of 16, the same weights and prompts, by
// processor time on one thread. Reading a prompt costs the same alone and in a batch, so the bench says
// what share of the time that is, and what batching could gain at most.
// Run: [ITEMS=32] [TOKENS=16] [BATCH_TOKENS=2048] [PYTHON=<a python with transformers and torch>] node bench/eval.ts
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../src/core/log.ts';
import { findBenchmarks } from '../src/eval/benchmarks/index.ts';
import { openItems } from '../src/eval/data/open-items.ts';
import { localModel } from '../src/eval/local-model.ts';
import { evaluate } from '../src/eval/runner.ts';
import { QWEN_PROCESSOR } from '../src/image/config.ts';
import { generate } from '../src/model/generate.ts';
import { createOneVision } from '../src/model/onevision.ts';
import { tinyConfig, vocabularyOf } from '../src/model/presets.ts';
import { setNumThreads } from '../src/tensor/index.ts';
import { saveSafetensors } from '../src/tensor/safetensors.ts';
import { encodePrompt } from '../src/text/chat-template.ts';
import { createTokenizer } from '../src/text/tokenizer.ts';
import { trainTokenizer } from '../src/text/train-bpe.ts';
import { scienceQa } from '../test/support/hub/science-rows.ts';
import { writeHubSets } from '../test/support/hub/write.ts';
import { startPython } from './support/python-peer.ts';

const ITEMS = Number(process.env['ITEMS'] ?? 32);
const WIDTH = 768;
const LAYERS = 6;

const PYTHON_CODE = `
import json, sys, time
import torch, transformers
from safetensors.torch import load_file
from transformers import Qwen3Config, Qwen3ForCausalLM
torch.set_num_threads(1)
print(transformers.__version__, flush=True)
for line in sys.stdin:
    task = json.loads(line)
    if "file" in task:
        model = Qwen3ForCausalLM(Qwen3Config(**task["config"])).eval()
        weights = {k: v for k, v in load_file(task["file"]).items() if k.startswith("model.")}
        missing, unexpected = model.load_state_dict(weights, strict=False)
        assert missing in ([], ["lm_head.weight"]) and not unexpected
        model.tie_weights()
        print("loaded", flush=True)
        continue
    prompts, size = task["prompts"], task["batch"]
    start, out = time.process_time(), []
    for i in range(0, len(prompts), size):
        part = prompts[i:i + size]
        longest = max(map(len, part))
        ids = torch.tensor([[0] * (longest - len(p)) + p for p in part])
        mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in part])
        with torch.no_grad():
            got = model.generate(ids, attention_mask=mask, do_sample=False, pad_token_id=task["pad"],
                                 eos_token_id=task["stop"], max_new_tokens=task["tokens"])
        out += got[:, longest:].tolist()
    print(json.dumps({"seconds": time.process_time() - start, "ids": out}), flush=True)
`;

/** Processor seconds of some work in this process. */
async function seconds(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

setNumThreads(1);
const root = mkdtempSync(join(tmpdir(), 'onevision-bench-eval-'));
try {
  await writeHubSets(join(root, 'data'), [scienceQa(ITEMS)]);
  const [scienceQaRow] = findBenchmarks(['science-qa']);
  if (scienceQaRow?.scorer.kind !== 'reply') throw new Error('no benchmark');
  const { decoding } = scienceQaRow.scorer;
  const maxNewTokens = Number(process.env['TOKENS'] ?? decoding.maxNewTokens);
  const scorer = { ...scienceQaRow.scorer, decoding: { ...decoding, maxNewTokens } };
  const benchmark = { ...scienceQaRow, scorer };
  const texts = [
    "You are a helpful assistant. alpha beta gamma delta Answer with the option's letter from the given choices directly.",
  ];
  const tokenizer = createTokenizer(trainTokenizer(texts, 300, { defaultSystem: '' }));
  const sizes = { width: WIDTH, headDim: 64, visionLayers: 1, textLayers: LAYERS };
  const config = tinyConfig(vocabularyOf(tokenizer), sizes);
  using model = createOneVision(config, { seed: 1 });
  const prompts: Int32Array[] = [];
  using source = await openItems(benchmark, join(root, 'data'), { partial: true });
  for await (const { context, question } of source.read(0, source.numRows)) {
    prompts.push(encodePrompt(tokenizer, [...context, { role: 'user', content: question }], []));
  }
  const lengths = prompts.map(({ length }) => length);
  console.log(
    `${ITEMS} items, prompts of ${Math.min(...lengths)} to ${Math.max(...lengths)} tokens, ` +
      `replies of up to ${maxNewTokens}`,
  );

  const limits = { identity: 'bench', maxBatchTokens: Number(process.env['BATCH_TOKENS'] ?? 2048) };
  const local = localModel(model, { tokenizer, image: QWEN_PROCESSOR }, limits);
  const options = {
    model: local,
    benchmarks: [benchmark],
    data: join(root, 'data'),
    log: silentLog,
  };
  const batched = await seconds(() =>
    evaluate({ ...options, output: join(root, 'out'), partial: true }),
  );
  const mine: number[][] = [];
  const single = await seconds(() => {
    for (const inputIds of prompts) {
      const [reply] = generate(model, [{ inputIds, images: [] }], { maxNewTokens });
      mine.push([...(reply?.ids ?? [])]);
    }
  });
  const reading = await seconds(() => {
    for (const inputIds of prompts)
      generate(model, [{ inputIds, images: [] }], { maxNewTokens: 1 });
  });
  const rate = (time: number): string => (ITEMS / time).toFixed(2);
  console.log(`OneVision eval        ${rate(batched)} items/s`);
  console.log(
    `OneVision one by one  ${rate(single)} items/s, ratio ${(single / batched).toFixed(2)}; ` +
      `${((100 * reading) / single).toFixed(0)} % of it reads prompts, ` +
      `so batching gains at most ${(single / reading).toFixed(2)}`,
  );

  using peer = await startPython(PYTHON_CODE);
  if (peer !== undefined) {
    const file = join(root, 'model.safetensors');
    await saveSafetensors(file, Object.fromEntries(model.namedParameters()));
    const { text } = config;
    const settings = {
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
    await peer.ask(JSON.stringify({ file, config: settings }));
    const lists = prompts.map((ids) => [...ids]);
    const stop = [config.eosTokenId, config.padTokenId];
    for (const batch of [1, 16]) {
      const task = { prompts: lists, batch, tokens: maxNewTokens, stop, pad: config.padTokenId };
      const theirs: { seconds: number; ids: number[][] } = JSON.parse(
        await peer.ask(JSON.stringify(task)),
      );
      const same = theirs.ids.filter((ids, index) => {
        const own = mine[index] ?? [];
        return JSON.stringify(ids.slice(0, own.length)) === JSON.stringify(own);
      }).length;
      console.log(
        `transformers, batch ${String(batch).padStart(2)} ${rate(theirs.seconds)} items/s, ` +
          `ratio ${(theirs.seconds / batched).toFixed(2)}, ${same} of ${ITEMS} replies the same`,
      );
    }
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
