// Several ranks on this machine: the time of a step against the simulator, how much of the transfers
// compute hides, bytes sent against the formula, memory of a rank.
// `node bench/scale.ts [--ranks 1,2,3 --blocks 8 --width 512 --rounds 9]`. Ranks need idle cores for their
// times to say anything; bytes and memory do not.
//
// The simulator is given what is measured without training together: each rank's step alone while the
// others make theirs (none waits for another), the speed of transfers of a block while nothing is
// computed, and how much matrix products and transfers slow each other.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type BlockTrace, simulateStep } from '../src/parallel/simulate.ts';
import { runRanks } from '../test/support/ranks.ts';
import type { LinkSample } from './support/scale-link.ts';
import type { RankReport, ScaleSettings, StepTimes } from './support/scale-rank.ts';

const { values } = parseArgs({
  options: {
    ranks: { type: 'string', default: '1,2,3' },
    blocks: { type: 'string', default: '8' },
    width: { type: 'string', default: '512' },
    rounds: { type: 'string', default: '9' },
  },
});
const sizes = values.ranks.split(',').map(Number);
const [blocks, width, rounds] = [values.blocks, values.width, values.rounds].map(Number) as [
  number,
  number,
  number,
];
/** Memory is measured on more and smaller blocks: two of them are there in full while they run. */
const MEMORY = { blocks: 24, width: 384, rounds: 2 };
const SHARDINGS = ['optimizer', 'full'] as const;
const MIB = 2 ** 20;
const PROGRAM = fileURLToPath(new URL('support/scale-rank.ts', import.meta.url));
/** Memory that is freed leaves the process, so that the high water is what is held. */
const HELD = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_TRIM_THRESHOLD_: '65536' };

async function report(
  size: number,
  what: ScaleSettings['what'],
  sharding: ScaleSettings['sharding'],
): Promise<RankReport> {
  const shape = what === 'memory' ? MEMORY : { blocks, width, rounds };
  const settings: ScaleSettings = { what, sharding, ...shape };
  const env = what === 'memory' ? HELD : {};
  const results = await runRanks(PROGRAM, size, [JSON.stringify(settings)], env);
  const all = results.map(({ code, output, errors }) => {
    if (code !== 0) throw new Error(errors);
    return JSON.parse(output) as RankReport;
  });
  const [first] = all as [RankReport];
  // Ranks wait for the slowest of them.
  const slowest = (i: number): StepTimes[] =>
    all.flatMap(({ rounds: own }) => own[i]?.alone ?? []).toSorted((a, b) => b.stepMs - a.stepMs);
  const withSlowest = first.rounds.map((round, i) => ({
    ...round,
    alone: slowest(i)[0] ?? round.alone,
  }));
  return { ...first, rounds: withSlowest };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Medians over the rounds. */
function timesOf({ rounds: all }: RankReport, kind: 'alone' | 'serial' | 'overlapped'): StepTimes {
  const of = (key: keyof StepTimes): number => median(all.map((round) => round[kind][key]));
  const [stepMs, forwardMs, backwardMs] = [of('stepMs'), of('forwardMs'), of('backwardMs')];
  const [optimizerMs, waitMs, bytes] = [of('optimizerMs'), of('waitMs'), of('bytes')];
  return { stepMs, forwardMs, backwardMs, optimizerMs, waitMs, bytes };
}

function linkOf({ rounds: all }: RankReport): LinkSample {
  const of = (key: keyof LinkSample): number => median(all.map(({ link }) => link?.[key] ?? 1));
  const [bytesPerMs, latencyMs] = [of('bytesPerMs'), of('latencyMs')];
  return { bytesPerMs, latencyMs, compute: of('compute'), link: of('link') };
}

/** A group of one copies what others would send: what was waited for that is no compute. */
function computeOf(alone: StepTimes, sharding: ScaleSettings['sharding']): StepTimes {
  const { stepMs, forwardMs, backwardMs, optimizerMs, waitMs } = alone;
  const rest = { ...alone, stepMs: stepMs - waitMs };
  if (sharding === 'optimizer') return { ...rest, optimizerMs: optimizerMs - waitMs };
  const share = 1 - waitMs / (forwardMs + backwardMs);
  return { ...rest, forwardMs: forwardMs * share, backwardMs: backwardMs * share };
}

/** The simulator's step from what was measured without training together. */
function predict(
  measured: RankReport,
  ranks: number,
  sharding: ScaleSettings['sharding'],
): ReturnType<typeof simulateStep> {
  const alone = computeOf(timesOf(measured, 'alone'), sharding);
  const { compute, link, ...speed } = linkOf(measured);
  const { blockParameters, restParameters } = measured;
  const share = blockParameters / (blockParameters + restParameters);
  const part = (parameters: number, ofCompute: number, otherMs: number): BlockTrace => ({
    forwardMs: alone.forwardMs * ofCompute,
    backwardMs: alone.backwardMs * ofCompute + otherMs,
    weightBytes: 4 * parameters,
    gradientBytes: 4 * parameters,
  });
  const block = part(blockParameters / blocks, share / blocks, 0);
  const { stepMs, forwardMs, backwardMs, optimizerMs: updateMs } = alone;
  const rest = part(restParameters, 1 - share, stepMs - forwardMs - backwardMs - updateMs);
  const trace = { blocks: new Array<BlockTrace>(blocks).fill(block), rest, passes: 1, updateMs };
  return simulateStep(trace, { sharding, ranks, link: { ...speed, together: { compute, link } } });
}

/** What the formula says a rank sends: gradients and weights, float32. */
function expectedBytes(
  { blockParameters, restParameters }: RankReport,
  ranks: number,
  sharding: ScaleSettings['sharding'],
): number {
  const weights = 4 * (blockParameters + restParameters);
  // With `full`, gathered for forward and, all but the last block, again for backward.
  const again = sharding === 'full' ? (4 * blockParameters * (blocks - 1)) / blocks : 0;
  return ((weights + again + weights) * (ranks - 1)) / ranks;
}

const percent = (part: number): string => `${(100 * part).toFixed(0)} %`;

const one = (await report(1, 'memory', 'optimizer')).peakMib;
console.log(
  '| ranks | sharing | step, ms | simulated | ratio | without overlap | hidden | simulated | sent, MiB | formula | state, MiB | of one |',
);
console.log('|--|--|--|--|--|--|--|--|--|--|--|--|');
const notes: string[] = [];
for (const ranks of sizes) {
  for (const sharding of ranks === 1 ? (['optimizer'] as const) : SHARDINGS) {
    const measured = await report(ranks, 'times', sharding);
    const { peakMib } = ranks === 1 ? { peakMib: one } : await report(ranks, 'memory', sharding);
    const [serial, real] = [timesOf(measured, 'serial'), timesOf(measured, 'overlapped')];
    const step = predict(measured, ranks, sharding);
    const hidden = 1 - real.waitMs / serial.waitMs;
    const cells = [
      ranks,
      ranks === 1 ? 'nothing' : sharding,
      real.stepMs.toFixed(0),
      step.stepMs.toFixed(0),
      (real.stepMs / step.stepMs).toFixed(2),
      serial.stepMs.toFixed(0),
      ranks === 1 ? '' : percent(hidden),
      ranks === 1 ? '' : percent(step.overlap),
      (real.bytes / MIB).toFixed(1),
      (expectedBytes(measured, ranks, sharding) / MIB).toFixed(1),
      peakMib.toFixed(0),
      percent(peakMib / one),
    ];
    console.log(`| ${cells.join(' | ')} |`);
    if (ranks === 1) continue;
    const link = linkOf(measured);
    const alone = timesOf(measured, 'alone');
    const parts = [alone.forwardMs, alone.backwardMs, alone.optimizerMs, alone.waitMs];
    notes.push(
      `${ranks} ranks, ${sharding}: alone ${alone.stepMs.toFixed(0)} ms (forward, backward, update, ` +
        `copies: ${parts.map((ms) => ms.toFixed(0)).join(', ')}), ` +
        `link ${(link.bytesPerMs / 1000).toFixed(0)} MB/s and ${link.latencyMs.toFixed(2)} ms a message; ` +
        `together compute ${percent(link.compute)} and link ${percent(link.link)} of their speed; ` +
        `waited ${serial.waitMs.toFixed(0)} ms without overlap, ${real.waitMs.toFixed(0)} with, ` +
        `simulated ${step.linkMs.toFixed(0)} and ${step.exposedMs.toFixed(0)}`,
    );
  }
}
console.log(`\n${notes.join('\n')}`);
