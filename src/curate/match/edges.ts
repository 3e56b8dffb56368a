// The edges of a trie: (node, label) → node, in an open hash table over typed arrays.

const NONE = -1;

const STRIDE = 4;

/** A trie whose nodes are 0 (the root), 1, 2, …; labels are whole numbers from 0. */
export class Trie {
  /** Node, label, target, nothing, alternately: an edge lies in one place of the memory. */
  #edges: Int32Array;
  #numNodes = 1;

  constructor(expectedNodes = 1024) {
    const capacity = 2 ** Math.ceil(Math.log2(2 * Math.max(16, expectedNodes)));
    this.#edges = new Int32Array(STRIDE * capacity).fill(NONE);
  }

  get numNodes(): number {
    return this.#numNodes;
  }

  /** The node below `node` at `label`, or −1. */
  child(node: number, label: number): number {
    const edges = this.#edges;
    const mask = edges.length - 1;
    for (let at = (STRIDE * slotOf(node, label)) & mask; ; at = (at + STRIDE) & mask) {
      const here = edges[at] as number;
      if (here === NONE) return NONE;
      if (here === node && edges[at + 1] === label) return edges[at + 2] as number;
    }
  }

  /** The same; the node is made when it is not there. */
  grow(node: number, label: number): number {
    const known = this.child(node, label);
    if (known !== NONE) return known;
    if (2 * STRIDE * this.#numNodes >= this.#edges.length) this.#widen();
    const target = this.#numNodes++;
    place(this.#edges, node, label, target);
    return target;
  }

  /** Every edge once, in no order that matters. */
  each(visit: (node: number, label: number, target: number) => void): void {
    const edges = this.#edges;
    for (let at = 0; at < edges.length; at += STRIDE) {
      if (edges[at] === NONE) continue;
      visit(edges[at] as number, edges[at + 1] as number, edges[at + 2] as number);
    }
  }

  #widen(): void {
    const wider = new Int32Array(2 * this.#edges.length).fill(NONE);
    this.each((node, label, target) => {
      place(wider, node, label, target);
    });
    this.#edges = wider;
  }
}

function place(edges: Int32Array, node: number, label: number, target: number): void {
  const mask = edges.length - 1;
  let at = (STRIDE * slotOf(node, label)) & mask;
  while (edges[at] !== NONE) at = (at + STRIDE) & mask;
  edges[at] = node;
  edges[at + 1] = label;
  edges[at + 2] = target;
}

function slotOf(node: number, label: number): number {
  const mixed = Math.imul(node ^ Math.imul(label, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
