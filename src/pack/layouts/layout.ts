// What a layout is: how a pack lies in its record. Types only; layouts.ts has them all.
import type { Pack, PackedSample, PackPart } from '../record.ts';

export const LAYOUT_NAMES = [
  'onevision',
  'energon',
  'energon-multi-turn',
  'energon-unpacked',
] as const;
export type LayoutName = (typeof LAYOUT_NAMES)[number];

/** Which samples a layout can hold, as SQL on the columns of lengths, and what to say of the others. */
export interface LayoutRule {
  readonly sql: string;
  readonly reason: string;
}

/** What Energon makes of a record. */
export interface EnergonType {
  /** Python class of a sample, and its module. */
  readonly module: string;
  readonly className: string;
  /** Source of `sample_loader.py`. */
  readonly loader: string;
}

export interface Layout {
  /** Shards are named `{prefix}-000000.tar`. */
  readonly prefix: string;
  /** One sample a record instead of a pack. */
  readonly single: boolean;
  /** What it can hold; undefined: everything. */
  readonly rule: LayoutRule | undefined;
  readonly energon: EnergonType | undefined;
  /** The record of the pack of this number. */
  encode(
    pack: number,
    samples: readonly PackedSample[],
  ): { readonly key: string; readonly parts: readonly PackPart[] };
  /**
   * The pack in a record. Where the record does not say what was counted, tokens and patches are 0.
   * @throws OneVisionError 'data' when something is missing or malformed.
   */
  decode(key: string, parts: readonly PackPart[], where: string): Pack;
}
