// Tensors of a checkpoint beside the model's weights, however many ranks wrote them: pieces are put
// together or cut to what is asked for. Names: see parallel/layout.ts.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { copyState } from '../../nn/optim/optimizer.ts';
import { parsePiece } from '../../parallel/layout.ts';
import { noGrad, type Tensor, tidy } from '../../tensor/index.ts';
import * as ops from '../../tensor/ops.ts';
import { openSafetensors, type SafetensorsFile } from '../../tensor/safetensors.ts';

/** `optimizer.safetensors`, or `optimizer-00002-of-00004.safetensors` of one rank of four. */
export function stateFile(name: string, rank = 0, ranks = 1): string {
  if (ranks === 1) return `${name}.safetensors`;
  const digits = (value: number): string => String(value).padStart(5, '0');
  return `${name}-${digits(rank + 1)}-of-${digits(ranks)}.safetensors`;
}

/** Elements `begin` to `end` of a parameter's state; without an end, all of it. */
interface StoredPiece {
  readonly begin: number;
  readonly end: number | undefined;
  readonly file: SafetensorsFile;
  readonly name: string;
}

/** The files of one name in a checkpoint, open. */
export class SavedState {
  readonly #files: readonly SafetensorsFile[];
  /** `<parameter><suffix>` → its pieces. */
  readonly #pieces = new Map<string, StoredPiece[]>();
  readonly #dir: string;
  readonly #isForAll: boolean;

  /**
   * @param options.isForAll whether one process asks for all there is, so that more is too much
   * @throws OneVisionError 'checkpoint' where there are none, or one is damaged.
   */
  constructor(dir: string, name: string, options: { readonly isForAll: boolean }) {
    this.#dir = dir;
    this.#isForAll = options.isForAll;
    const names = filesOf(dir, name);
    this.#files = (names.length > 0 ? names : [stateFile(name)]).map((file) =>
      openSafetensors(join(dir, file)),
    );
    for (const file of this.#files) {
      for (const stored of file.names) {
        const { parameter, range, suffix } = parsePiece(stored);
        const key = parameter + suffix;
        const piece = { begin: range?.[0] ?? 0, end: range?.[1], file, name: stored };
        this.#pieces.set(key, [...(this.#pieces.get(key) ?? []), piece]);
      }
    }
  }

  static isIn(dir: string, name: string): boolean {
    return filesOf(dir, name).length > 0;
  }

  /** Whether any name ends so. */
  has(suffix: string): boolean {
    return this.#pieces.keys().some((key) => key.endsWith(suffix));
  }

  /**
   * Hands `apply` what is saved under the names of `live`, cut as those are.
   * @param belongs which of the saved names are meant; default all
   * @throws OneVisionError 'checkpoint' where something is missing or too much
   */
  load(
    live: ReadonlyMap<string, Tensor>,
    apply: (state: ReadonlyMap<string, Tensor>) => void,
    belongs: (name: string) => boolean = () => true,
  ): void {
    tidy(() => {
      noGrad(() => apply(this.#cutAs(live, belongs)));
    });
  }

  /** Copies what is saved into tensors of the same names. */
  copyTo(live: ReadonlyMap<string, Tensor>): void {
    this.load(live, (state) => copyState(live, state));
  }

  #cutAs(
    live: ReadonlyMap<string, Tensor>,
    belongs: (name: string) => boolean,
  ): Map<string, Tensor> {
    const cut = new Map([...live].map(([name, target]) => [name, this.#read(name, target)]));
    const known = new Set([...live.keys()].map(keyOf));
    for (const key of this.#isForAll ? this.#pieces.keys() : []) {
      if (belongs(key) && !known.has(key)) cut.set(key, this.#read(key, undefined));
    }
    return cut;
  }

  /** @param target what it shall be shaped as */
  #read(name: string, target: Tensor | undefined): Tensor {
    const { range } = parsePiece(name);
    const pieces = this.#pieces.get(keyOf(name)) ?? [];
    const [first] = pieces;
    if (first === undefined) throw this.#missing(name);
    const isAlone = pieces.length === 1 && first.end === undefined;
    if (target === undefined || (isAlone && range === undefined) || target.shape.length === 0) {
      return first.file.tensor(first.name);
    }
    const begin = range?.[0] ?? 0;
    const end = range?.[1] ?? target.numel;
    const flat = ops.empty([end - begin], { dtype: target.dtype, device: target.device });
    let filled = 0;
    for (const piece of pieces) filled += tidy(() => copyOverlap(flat, [begin, end], piece));
    if (filled < end - begin) throw this.#missing(name);
    return ops.view(flat, target.shape);
  }

  #missing(name: string): OneVisionError {
    return new OneVisionError(
      'checkpoint',
      `expected the state ${name} in ${this.#dir}, came none or a part of it`,
      { hint: 'resume with the recipe the checkpoint was written with, or start anew' },
    );
  }

  [Symbol.dispose](): void {
    for (const file of this.#files) file.close();
  }
}

function filesOf(dir: string, name: string): string[] {
  if (!existsSync(dir)) return [];
  const pattern = new RegExp(`^${name}(-\\d{5}-of-\\d{5})?\\.safetensors$`);
  return readdirSync(dir)
    .filter((file) => pattern.test(file))
    .sort();
}

function keyOf(name: string): string {
  const { parameter, suffix } = parsePiece(name);
  return parameter + suffix;
}

/** @returns how many elements of [begin, end) the piece gave */
function copyOverlap(
  flat: Tensor,
  [begin, end]: readonly [number, number],
  piece: StoredPiece,
): number {
  const source = ops.reshape(piece.file.tensor(piece.name), [-1]);
  const from = Math.max(begin, piece.begin);
  const to = Math.min(end, piece.end ?? source.numel);
  if (from >= to) return 0;
  const part = ops.narrow(source, 0, from - piece.begin, to - from);
  ops.copy_(ops.narrow(flat, 0, from - begin, to - from), part);
  return to - from;
}
