// The layouts of packs by name: our own, and those that Megatron-Energon trainers read.
import { decodePack, encodePack, packKey } from '../record.ts';
import { energonMultiTurn } from './energon-multi-turn.ts';
import { energonPacked } from './energon-packed.ts';
import { energonUnpacked } from './energon-unpacked.ts';
import type { Layout, LayoutName } from './layout.ts';

const onevision: Layout = {
  prefix: 'packs',
  single: false,
  rule: undefined,
  energon: undefined,
  encode: (pack, samples) => ({ key: packKey(pack), parts: encodePack(samples) }),
  decode: decodePack,
};

const LAYOUTS: Readonly<Record<LayoutName, Layout>> = {
  onevision,
  energon: energonPacked,
  'energon-multi-turn': energonMultiTurn,
  'energon-unpacked': energonUnpacked,
};

export function layoutOf(name: LayoutName): Layout {
  return LAYOUTS[name];
}
