// Several continuations of prompts: layers keep the keys and values of each prompt, and the rows of a
// continuation attend to them and to themselves. Shapes: q [rows, heads, dim]; k, v [rows, kvHeads, dim].

import { varlenAttention } from '../../nn/attention.ts';
import { fromArray, keep, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { makeBatch, type Segment } from '../batch.ts';
import { type OneVision, textRope } from '../onevision.ts';
import { logProbsAt } from './token-log-probs.ts';

/** Tokens and their pictures. */
export type Prompt = Pick<Segment, 'inputIds' | 'images'>;

/** What layers keep of prompts, but for the last token of each. */
export interface ReadPrompts extends Disposable {
  readonly layers: readonly { readonly keys: Tensor; readonly values: Tensor }[];
  /** Of each prompt, the row of each token. */
  readonly rows: readonly Int32Array[];
}

export function readPrompts(model: OneVision, prompts: readonly Prompt[]): ReadPrompts {
  const batch = makeBatch(
    prompts.map(({ inputIds, images }) => ({ inputIds: inputIds.subarray(0, -1), images })),
  );
  const layers: { keys: Tensor; values: Tensor }[] = [];
  const rowOfToken = tidy(() => {
    const layout = model.layoutRows(batch);
    model.decoder.forward(model.embed(batch, layout), {
      rope: layout.rope,
      read: fromArray(new Int32Array(), [0], { device: model.device }),
      attend: (layer, q, k, v) => {
        layers[layer] = { keys: keep(k), values: keep(v) };
        return varlenAttention(q, k, v, layout.attention);
      },
    });
    return layout.rowOfToken;
  });
  return {
    layers,
    rows: prompts.map((_, i) => rowOfToken.subarray(batch.cuSeqlens[i], batch.cuSeqlens[i + 1])),
    [Symbol.dispose]: () => {
      for (const { keys, values } of layers) for (const x of [keys, values]) x.dispose();
    },
  };
}

/** A reply that goes on where its prompt ends: it reads the prompt's last token and all but its own. */
export interface Fork {
  readonly index: number;
  /** Place of its prompt among those read. */
  readonly place: number;
  /** Tokens of the prompt that were read. */
  readonly shared: number;
  readonly ids: Int32Array;
  readonly reply: Int32Array;
}

/** log p of the tokens of all forks, one after another. */
export function scoreForks(
  model: OneVision,
  read: ReadPrompts,
  forks: readonly Fork[],
): Float32Array {
  const { device, dtype, decoder, config } = model;
  const { headDim, ropeTheta } = config.text;
  const groups = groupForks(forks, read, device);
  const ids = joined(forks, ({ ids }) => ids);
  const positions = joined(forks, ({ ids, shared }) => ids.map((_, i) => shared + i));
  const hidden = decoder.forward(decoder.embed(fromArray(ids, [ids.length], { device })), {
    rope: textRope(positions, { headDim, ropeTheta, dtype, device }),
    attend: (layer, q, k, v) => {
      const { keys, values } = read.layers[layer] as ReadPrompts['layers'][number];
      return ops.cat(groups.map((group) => attendBack(group, q, [keys, k], [values, v])));
    },
  });
  return logProbsAt(
    model,
    hidden,
    joined(forks, ({ reply }) => reply),
  );
}

function joined(forks: readonly Fork[], arrayOf: (fork: Fork) => Int32Array): Int32Array {
  return Int32Array.from(forks.flatMap((fork) => [...arrayOf(fork)]));
}

/** Forks that share as many tokens and have as many of their own. */
interface ForkGroup {
  /** Its first row. */
  readonly offset: number;
  readonly count: number;
  readonly shared: number;
  readonly length: number;
  /** [count · shared] rows of the prompts. */
  readonly promptRows: Tensor;
  /** [length, shared + length] whether a row sees a key. */
  readonly mask: Tensor;
}

function groupForks(forks: readonly Fork[], { rows }: ReadPrompts, device: string): ForkGroup[] {
  const alike = Map.groupBy(forks, ({ shared, reply }) => `${shared} ${reply.length}`);
  let offset = 0;
  return [...alike.values()].map((members) => {
    const [{ shared, reply }] = members as [Fork];
    const { length } = reply;
    const places = members.flatMap(({ place }) => [...(rows[place] as Int32Array)]);
    const all = ops.ones([length, shared + length], { dtype: 'bool', device });
    const group = {
      offset,
      count: members.length,
      shared,
      length,
      promptRows: fromArray(Int32Array.from(places), [places.length], { device }),
      mask: ops.tril(all, { diagonal: shared }),
    };
    offset += members.length * length;
    return group;
  });
}

/** Own rows of a group attend to their prompt and to themselves. */
function attendBack(
  { offset, count, shared, length, promptRows, mask }: ForkGroup,
  q: Tensor,
  keys: readonly [prompts: Tensor, own: Tensor],
  values: readonly [prompts: Tensor, own: Tensor],
): Tensor {
  const [, heads = 1, dim = 1] = q.shape;
  const kvHeads = keys[1].shape[1] ?? 1;
  const own = (x: Tensor, numHeads: number): Tensor =>
    ops.view(ops.narrow(x, 0, offset, count * length), [count, length, numHeads, dim]);
  const behind = ([prompts, x]: readonly [Tensor, Tensor]): Tensor => {
    const before = ops.indexSelect(prompts, 0, promptRows);
    const rows = ops.view(before, [count, shared, kvHeads, dim]);
    return ops.transpose(ops.cat([rows, own(x, kvHeads)], { dim: 1 }), 1, 2);
  };
  const queries = ops.transpose(own(q, heads), 1, 2);
  const out = ops.scaledDotProductAttention(queries, behind(keys), behind(values), {
    attnMask: mask,
    enableGqa: heads !== kvHeads,
  });
  return ops.reshape(ops.transpose(out, 1, 2), [count * length, heads * dim]);
}
