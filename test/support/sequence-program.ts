// A rank of the tests of src/parallel/sequence.test.ts: a batch over all ranks against the same batch in
// this process alone. Prints for each case how far they are apart and what all ranks have sent.

import { type Batch, makeBatch } from '../../src/model/batch.ts';
import type { OneVisionConfig } from '../../src/model/config.ts';
import type { LossOptions, OneVision } from '../../src/model/onevision.ts';
import { allReduce } from '../../src/parallel/collectives.ts';
import { sumOver } from '../../src/parallel/messages.ts';
import { placeOf } from '../../src/parallel/place.ts';
import { ProcessGroup } from '../../src/parallel/process-group.ts';
import { SequenceGroup } from '../../src/parallel/sequence.ts';
import { backward, type DType, memory, noGrad, type Tensor, tidy } from '../../src/tensor/index.ts';
import * as ops from '../../src/tensor/ops.ts';
import { maxDifference } from './gradients.ts';
import { randomSegment, SMALL, smallModel } from './model.ts';

/** Six heads on three ranks. Of two key heads each query head gets its copy, of one each rank. */
const BASE: OneVisionConfig = { ...SMALL, text: { ...SMALL.text, numHeads: 6, numKvHeads: 2 } };
const ONE_KEY: OneVisionConfig = { ...SMALL, text: { ...SMALL.text, numHeads: 6, numKvHeads: 1 } };
const EXPERTS: OneVisionConfig = {
  ...BASE,
  text: {
    ...BASE.text,
    experts: {
      numExperts: 4,
      numActive: 2,
      intermediateSize: 16,
      normTopkProb: true,
      auxLossCoef: 0.5,
      denseLayers: [],
    },
  },
};

interface Outcome {
  readonly loss: number;
  readonly losses: readonly number[];
  readonly gradients: ReadonlyMap<string, readonly number[]>;
}

const place = placeOf(process.env);
const group = ProcessGroup.open(place, { timeoutMs: 20_000 });
const images = makeBatch([
  randomSegment('a', 9),
  randomSegment('b', 4, [
    [2, 2],
    [4, 2],
  ]),
  randomSegment('c', 17, []),
]);
const text = makeBatch([randomSegment('d', 21, []), randomSegment('e', 6, [])]);
const short = makeBatch([randomSegment('f', 2, [])]);

const before = memory().numTensors;
compare('images', BASE, images);
compare('text', BASE, text);
compare('fewer rows than ranks', BASE, short);
compare('recomputed', BASE, images, { recompute: { language: 'full', vision: 'selective' } });
compare('chunks', BASE, images, { chunkRows: 2 });
compare('tower alone', BASE, images, {}, (name) => name.startsWith('visual.'));
compare('tower alone, text', BASE, text, {}, (name) => name.startsWith('visual.'));
compare('one key head', ONE_KEY, images);
compare('experts', EXPERTS, images);
compare('bfloat16', BASE, images, {}, () => true, 'bfloat16');
console.log(JSON.stringify(['leak', memory().numTensors - before, 0]));
group.close();

function compare(
  what: string,
  config: OneVisionConfig,
  batch: Batch,
  options: LossOptions = {},
  isTrained: (name: string) => boolean = () => true,
  dtype: DType = 'float64',
): void {
  using model = smallModel({ config, dtype });
  for (const [name, parameter] of model.namedParameters()) {
    parameter.requiresGrad = isTrained(name);
  }
  const alone = tidy(() => run(model, batch, options, (x) => x));
  const sub = group.sub('sequence', group.members);
  const sent = sub.traffic.bytes;
  const spread = new SequenceGroup(sub);
  const summed = (x: Tensor): Tensor => allReduce(x, group, 'whole').wait();
  const together = tidy(() => run(model, batch, { ...options, spread }, summed));
  const [bytes = 0] = sumOver([sub.traffic.bytes - sent], group, 'bytes');
  const evaluated = noGrad(() =>
    tidy(() => summed(model.loss(batch, { ...options, spread }).lossSum).toNumbers()[0]),
  );
  const apart = Math.max(
    distance([together.loss], [alone.loss]),
    distance([evaluated ?? Number.NaN], [alone.loss]),
    distance(together.losses, alone.losses),
    ...[...alone.gradients].map(([name, values]) =>
      distance(together.gradients.get(name) ?? [], values),
    ),
  );
  console.log(JSON.stringify([what, apart, bytes]));
}

/** As a share of the largest number. */
function distance(came: readonly number[], expected: readonly number[]): number {
  const most = Math.max(...expected.map(Math.abs));
  return maxDifference(came, expected) / (most === 0 ? 1 : most);
}

function run(
  model: OneVision,
  batch: Batch,
  options: LossOptions,
  summed: (x: Tensor) => Tensor,
): Outcome {
  const { lossSum, losses } = model.loss(batch, options);
  if (lossSum.requiresGrad) backward(lossSum);
  const gradients = new Map<string, number[]>();
  for (const [name, parameter] of model.namedParameters()) {
    if (!parameter.requiresGrad) continue;
    const own = parameter.grad ?? ops.zerosLike(parameter);
    gradients.set(name, summed(own).toNumbers());
    parameter.grad = null;
  }
  const [loss = Number.NaN] = summed(ops.detach(lossSum)).toNumbers();
  return { loss, losses: losses.toNumbers(), gradients };
}
