// The rows of one batch cut over ranks: each has a slice, and around attention rows are exchanged for
// heads (Jacobs et al. 2023, DeepSpeed-Ulysses): a rank sees all rows of a share of the heads. Images are
// dealt to ranks, their rows go to where their tokens lie. Shapes: own rows n of R; S ranks; H heads of D.

import type { Attend, ImagePlaces, Spread } from '../nn/lean/spread.ts';
import { withGradient } from '../tensor/graph/graph-node.ts';
import { fromArray, gradEnabled, noGrad, type Tensor, tidy } from '../tensor/index.ts';
import * as ops from '../tensor/ops.ts';
import { allReduce, allToAll } from './collectives.ts';
import { shareHeads } from './heads.ts';
import type { ProcessGroup } from './process-group.ts';

/** See above. All ranks of the group make the same calls, for the same batch. */
export class SequenceGroup implements Spread {
  readonly #group: ProcessGroup;

  constructor(group: ProcessGroup) {
    this.#group = group;
  }

  own(numRows: number): readonly [begin: number, end: number] {
    const { rank, size } = this.#group;
    return [cutAt(rank, numRows, size), cutAt(rank + 1, numRows, size)];
  }

  attend(qkv: readonly [Tensor, Tensor, Tensor], numRows: number, attend: Attend): Tensor {
    return tidy(() => {
      const { size } = this.#group;
      const [q, k, v] = qkv;
      const [rows = 0, numHeads = 0, dim = 0] = q.shape;
      const shares = shareHeads(numHeads, k.shape[1] ?? 0, size);
      const mine = Array.from({ length: size }, () => rows);
      const theirs = sliceLengths(numRows, size);
      const widths = [shares.numHeads, shares.numKvHeads, shares.numKvHeads];
      const width = widths.reduce((sum, heads) => sum + heads, 0);
      const index = fromArray(Int32Array.from(shares.kvHeads), [shares.kvHeads.length], {
        device: q.device,
      });
      const byRank = (x: Tensor, heads: number): Tensor => ops.reshape(x, [rows, size, heads, dim]);
      const repeated = (x: Tensor): Tensor =>
        byRank(ops.indexSelect(x, 1, index), shares.numKvHeads);
      const together = ops.cat([byRank(q, shares.numHeads), repeated(k), repeated(v)], { dim: 2 });
      const parts = ops.reshape(ops.transpose(together, 0, 1), [size * rows, width * dim]);
      const whole = this.#exchange(parts, mine, theirs, 'heads of rows');
      const [allQ, allK, allV] = ops.splitSizes(ops.view(whole, [numRows, width, dim]), widths, {
        dim: 1,
      });
      const mixed = attend(allQ as Tensor, allK as Tensor, allV as Tensor);
      const back = this.#exchange(mixed, theirs, mine, 'rows of heads');
      const ordered = ops.transpose(ops.view(back, [size, rows, shares.numHeads * dim]), 0, 1);
      return ops.reshape(ordered, [rows, numHeads * dim]);
    });
  }

  images(places: ImagePlaces, make: (images: readonly number[]) => Tensor): Tensor {
    return tidy(() => {
      const { rank, size } = this.#group;
      const plan = planImages(places, size);
      const made = make(plan.imagesOf[rank] ?? []);
      const pick = (x: Tensor, rows: readonly number[]): Tensor =>
        ops.indexSelect(
          x,
          0,
          fromArray(Int32Array.from(rows), [rows.length], { device: x.device }),
        );
      const sent = plan.routes.map((to) => to[rank] ?? []);
      const came = (plan.routes[rank] ?? []).map((tokens) => tokens.map(({ token }) => token));
      const parts = pick(
        made,
        sent.flatMap((tokens) => tokens.map(({ place }) => place)),
      );
      const lengths = (lists: readonly (readonly unknown[])[]): number[] =>
        lists.map((list) => list.length);
      const rows = this.#exchange(parts, lengths(sent), lengths(came), 'rows of images');
      const order = came.flat().map((token, i) => ({ token, i }));
      const sorted = order.sort((a, b) => a.token - b.token);
      return pick(
        rows,
        sorted.map(({ i }) => i),
      );
    });
  }

  collect(values: Tensor, places: Int32Array, count: number): Tensor {
    return noGrad(() =>
      tidy(() => {
        const { dtype, device } = values;
        const index = fromArray(BigInt64Array.from(places, BigInt), [places.length], { device });
        const own = ops.indexCopy(ops.zeros([count], { dtype, device }), 0, index, values);
        return allReduce(own, this.#group, 'losses of tokens').wait();
      }),
    );
  }

  sum(x: Tensor): Tensor {
    return noGrad(() => allReduce(x, this.#group, 'sum over slices').wait());
  }

  /** Rows to and from each rank; their gradients go back the same way. */
  #exchange(x: Tensor, sent: number[], received: number[], label: string): Tensor {
    const move = (x: Tensor, sent: number[], received: number[]): Tensor =>
      noGrad(() =>
        tidy(() => allToAll(ops.contiguous(x), this.#group, label, { sent, received }).wait()),
      );
    const moved = move(x, sent, received);
    if (!gradEnabled()) return moved;
    // On all ranks, also where nothing leads to this rank's rows: the others wait for theirs.
    const [result = moved] = withGradient([moved], [x], [], (_, [gradient = null]) => [
      move(gradient ?? ops.zerosLike(moved), received, sent),
    ]);
    return result;
  }
}

/** First row of a slice. */
function cutAt(rank: number, numRows: number, size: number): number {
  return Math.floor((rank * numRows) / size);
}

function sliceLengths(numRows: number, size: number): number[] {
  return Array.from(
    { length: size },
    (_, rank) => cutAt(rank + 1, numRows, size) - cutAt(rank, numRows, size),
  );
}

/** An image token: its number among all, and its row among those that its image's rank makes. */
interface Routed {
  readonly token: number;
  readonly place: number;
}

interface ImagePlan {
  /** Images that each rank computes. */
  readonly imagesOf: readonly (readonly number[])[];
  /** To rank → from rank → tokens, in their order. */
  readonly routes: readonly (readonly (readonly Routed[])[])[];
}

/** Deals images by their patches, each to the rank that has fewest so far. */
export function planImages(places: ImagePlaces, size: number): ImagePlan {
  const { patches, tokens, rows, numRows } = places;
  const empty = <T>(): T[][] => Array.from({ length: size }, () => []);
  const imagesOf = empty<number>();
  const routes = Array.from({ length: size }, () => empty<Routed>());
  const loads = new Array<number>(size).fill(0);
  const made = new Array<number>(size).fill(0);
  const ends = Array.from({ length: size }, (_, rank) => cutAt(rank + 1, numRows, size));
  let token = 0;
  for (const [image, load] of patches.entries()) {
    const from = loads.indexOf(Math.min(...loads));
    loads[from] = (loads[from] ?? 0) + load;
    imagesOf[from]?.push(image);
    for (let i = 0; i < (tokens[image] ?? 0); i += 1) {
      const row = rows[token] ?? 0;
      const to = ends.findIndex((end) => row < end);
      routes[to]?.[from]?.push({ token, place: made[from] ?? 0 });
      made[from] = (made[from] ?? 0) + 1;
      token += 1;
    }
  }
  return { imagesOf, routes };
}
