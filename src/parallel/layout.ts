// How some parameters lie one after another in a flat buffer that is cut into equal parts, one a rank.
// Arithmetic only. Units: elements.

export interface Member {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * `elements`: cut anywhere, every rank holds the same; for updates that look at one element at a time.
 * `whole`: no parameter is cut; for updates that need its matrix.
 */
export type Cut = 'elements' | 'whole';

export interface Placed extends Member {
  readonly numel: number;
  /** First element in the buffer. */
  readonly offset: number;
}

/** What a rank holds of a parameter: elements `begin` to `end` of it. */
export interface Piece {
  /** The parameter's name, with `[begin:end]` where it is not whole. */
  readonly name: string;
  readonly parameter: string;
  readonly begin: number;
  readonly end: number;
  /** First element within the rank's part. */
  readonly offset: number;
  /** The parameter's shape where it is whole, else [end − begin]. */
  readonly shape: readonly number[];
}

export interface Layout {
  readonly placed: readonly Placed[];
  /** Elements of a rank's part; the buffer holds `ranks` times as many. */
  readonly part: number;
  readonly ranks: number;
}

/** Parameters begin at multiples of 64 bytes in float32, as memory of their own does. */
const ALIGN = 16;

const align = (value: number): number => Math.ceil(value / ALIGN) * ALIGN;

export function planLayout(members: readonly Member[], ranks: number, cut: Cut): Layout {
  const sized = members.map((member) => ({
    ...member,
    numel: member.shape.reduce((product, size) => product * size, 1),
  }));
  return cut === 'whole' ? planWhole(sized, ranks) : planElements(sized, ranks);
}

type Sized = Member & { readonly numel: number };

function planElements(members: readonly Sized[], ranks: number): Layout {
  let end = 0;
  const placed = members.map((member) => {
    const offset = end;
    end += align(member.numel);
    return { ...member, offset };
  });
  return { placed, part: align(Math.ceil(end / ranks)), ranks };
}

/** Largest first to the rank that holds least. */
function planWhole(members: readonly Sized[], ranks: number): Layout {
  const held = new Array<number>(ranks).fill(0);
  const seats = new Map<Sized, readonly [rank: number, offset: number]>();
  for (const member of members.toSorted((a, b) => b.numel - a.numel)) {
    const rank = held.indexOf(Math.min(...held));
    seats.set(member, [rank, held[rank] ?? 0]);
    held[rank] = (held[rank] ?? 0) + align(member.numel);
  }
  const part = Math.max(...held);
  const placed = members.map((member) => {
    const [rank, offset] = seats.get(member) ?? [0, 0];
    return { ...member, offset: rank * part + offset };
  });
  return { placed, part, ranks };
}

/** What a rank holds. */
export function piecesOf({ placed, part }: Layout, rank: number): Piece[] {
  const [from, to] = [rank * part, (rank + 1) * part];
  return placed.flatMap(({ name, shape, numel, offset }) => {
    const begin = Math.max(from - offset, 0);
    const end = Math.min(to - offset, numel);
    if (begin >= end) return [];
    const isWhole = end - begin === numel;
    const range = { parameter: name, begin, end, offset: offset + begin - from };
    return isWhole
      ? [{ ...range, name, shape }]
      : [{ ...range, name: pieceName(name, begin, end), shape: [end - begin] }];
  });
}

export function pieceName(parameter: string, begin: number, end: number): string {
  return `${parameter}[${begin}:${end}]`;
}

/** Takes a name apart: `a.weight[0:8].exp_avg` → a.weight, 0, 8, `.exp_avg`. */
export function parsePiece(name: string): {
  readonly parameter: string;
  readonly range: readonly [begin: number, end: number] | undefined;
  readonly suffix: string;
} {
  const match = /^(.*?)\[(\d+):(\d+)\](.*)$/.exec(name);
  if (match === null) return { parameter: name, range: undefined, suffix: '' };
  const [, parameter = '', begin, end, suffix = ''] = match;
  return { parameter, range: [Number(begin), Number(end)], suffix };
}
