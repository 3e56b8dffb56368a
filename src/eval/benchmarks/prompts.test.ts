// Every benchmark's prompts on its small copy, held to their version: words that change need a new
// `promptVersion`. Some that are easy to get wrong are spelled out.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HUB_SETS, writeHubSets } from '../../../test/support/hub/write.ts';
import { sha256Hex } from '../../core/hash.ts';
import { openItems } from '../data/open-items.ts';
import type { EvalItem } from '../items.ts';
import { findBenchmarks } from './index.ts';

const data = mkdtempSync(join(tmpdir(), 'onevision-prompts-'));
const items = new Map<string, EvalItem[]>();
before(async () => {
  await writeHubSets(data);
  for (const { name } of HUB_SETS) {
    for (const benchmark of findBenchmarks([name])) {
      using source = await openItems(benchmark, data, { partial: true });
      items.set(name, await Array.fromAsync(source.read(0, source.numRows)));
    }
  }
});
after(() => rmSync(data, { recursive: true, force: true }));

/** Version and hash of all questions, system messages and answers of the small copy. */
const PROMPTS: Readonly<Record<string, string>> = {
  mmstar: '1/79b03c1f630b',
  'mmbench-en': '1/9fd8bad04d4c',
  'mmbench-cn': '1/4496de29b33c',
  'mme-realworld-en': '1/28b0ce0d71a0',
  'mme-realworld-cn': '1/aecd75653202',
  'seed-image': '1/ee9ac92f8931',
  'cv-bench': '1/8add38568252',
  'science-qa': '1/d3b2d9359354',
  'seed-2-plus': '1/47aef58f211b',
  'real-world-qa': '1/a74395d1df12',
  'math-vista': '1/1a2fe8ba4a0a',
  'we-math': '1/128bbf020af8',
  'math-vision': '1/df556c8cf1c6',
  mmmu: '1/116529d72a0b',
  'mmmu-pro-standard': '1/516874d62f70',
  'mmmu-pro-vision': '1/c1c49c20bb85',
  'chart-qa': '1/1b5425fdf4ab',
  'charxiv-dq': '2/ba2636bdaca5',
  'doc-vqa': '1/972e5899420e',
  'doc-vqa-val': '1/31b3533df612',
  'ocr-bench': '1/16fdaf7476b4',
  ai2d: '1/e8226545143e',
  'ai2d-no-mask': '1/e8226545143e',
  'info-vqa': '1/7b3ac8052afb',
  'info-vqa-val': '1/d7a171bd4207',
  'pixmo-count': '1/4df8a9c89ea2',
  'count-bench': '1/aa506dd6b118',
  'vl-reward-bench': '1/4ffe14136163',
  'v-star': '1/cd2aa40c8da9',
};

test('prompts are those of their version', () => {
  const found = Object.fromEntries(
    [...items].map(([name, all]) => {
      const [benchmark] = findBenchmarks([name]);
      const version = typeof benchmark?.data === 'object' ? benchmark.data.promptVersion : 0;
      const asked = all.map(({ context, question, scored }) => [
        context,
        question,
        scored?.answers,
      ]);
      return [name, `${version}/${sha256Hex(JSON.stringify(asked)).slice(0, 12)}`];
    }),
  );
  assert.deepEqual(found, PROMPTS);
});

const asked = (name: string, index = 0): string => items.get(name)?.[index]?.question ?? '';

test('prompts spelled out', () => {
  const letter = "Answer with the option's letter from the given choices directly.";
  const options = 'A. a red car\nB. the blue bus\nC. two dogs\nD. none of the above';
  assert.equal(
    asked('mmmu'),
    `<image>What is shown in <image 1>, part 0?\n${options}\n\n${letter}`,
  );
  assert.match(asked('mmmu', 8), /\n\nAnswer the question using a single word or phrase\.$/);
  assert.equal(
    asked('mmbench-en'),
    `<image>Look closely. Which one is it in en? There are several options:\n${options}\n\n${letter}`,
  );
  assert.match(asked('mmbench-cn', 1), /^<image>nan Which one/, 'no guard in the Chinese prompt');
  assert.match(asked('mme-realworld-en'), /option\.\nThe best answer is: $/);
  assert.equal(asked('science-qa'), `Which animal is number 0?\n${options}\n${letter}`);
  assert.match(asked('science-qa', 2), /^<image>Context: Animals live\.\nWhich animal/);
  assert.equal(asked('v-star'), `<image>What is the colour of glove 0?\n${options}\n${letter}`);
  assert.match(asked('cv-bench'), /^<image>Note: You only need to respond with A, B, C, D without/);
  assert.match(asked('vl-reward-bench'), /Answer 1: bad\n\nAnswer 2: good\n/, 'an odd sum turns');
  assert.equal(
    asked('pixmo-count'),
    '<image>How many cups are on table 0?\nAnswer with a single number.',
  );
  assert.match(asked('charxiv-dq', 0), /^<image>For the current plot, what is its title\?/);
  assert.match(asked('charxiv-dq', 4), /^<image>For the subplot at row 1 and column 2, /);
  assert.match(
    asked('math-vista', 3),
    /\(Unit: cm\)\nHint: Please answer the question requiring an integer/,
  );
  assert.match(asked('math-vista', 1), /\nSolution:$/);
  assert.match(
    asked('math-vista', 0),
    /Hint: Please answer the question and provide the correct option letter, e\.g\., A, B, C, D, at the end\.$/,
  );
});
