// Finds names in text without spaces (Chinese, Japanese, Thai, …): an Aho–Corasick automaton over
// UTF-16 units. Of overlapping names the leftmost counts, of those the longest.
import { Trie } from './edges.ts';
import type { Codes } from './words.ts';

const NONE = -1;

export interface Automaton {
  readonly numNodes: number;
  /** Reports the id of each name in `codes[start … end)`, in order, without overlaps. */
  match(codes: Codes, start: number, end: number, report: (id: number) => void): void;
}

/** @param names name → id; the first of two equal names wins. */
export function createAutomaton(names: readonly (readonly [string, number])[]): Automaton {
  const trie = new Trie(names.reduce((sum, [name]) => sum + name.length, 1));
  const ids: number[] = [NONE];
  for (const [name, id] of names) {
    let node = 0;
    for (let i = 0; i < name.length; i++) {
      node = trie.grow(node, name.charCodeAt(i));
      if (node === ids.length) ids.push(NONE);
    }
    if (node !== 0 && ids[node] === NONE) ids[node] = id;
  }
  return walkOver(trie, Int32Array.from(ids));
}

/** For each node: its depth, the node of its longest proper suffix, the nearest suffix with a name. */
function link(trie: Trie, ids: Int32Array) {
  const numNodes = trie.numNodes;
  const depth = new Int32Array(numNodes);
  const fail = new Int32Array(numNodes);
  const named = new Int32Array(numNodes).fill(NONE);
  const parents = new Int32Array(numNodes);
  const labels = new Int32Array(numNodes);
  trie.each((node, label, target) => {
    parents[target] = node;
    labels[target] = label;
  });
  // A node has a higher number than its parent.
  for (let node = 1; node < numNodes; node++) {
    depth[node] = (depth[parents[node] as number] as number) + 1;
  }
  const byDepth = Int32Array.from({ length: numNodes }, (_, node) => node);
  byDepth.sort((a, b) => (depth[a] as number) - (depth[b] as number));
  for (const node of byDepth) {
    if (node === 0) continue;
    const parent = parents[node] as number;
    if (parent !== 0) {
      let state = fail[parent] as number;
      let next = trie.child(state, labels[node] as number);
      while (next === NONE && state !== 0) {
        state = fail[state] as number;
        next = trie.child(state, labels[node] as number);
      }
      fail[node] = Math.max(0, next);
    }
    named[node] = ids[node] === NONE ? (named[fail[node] as number] as number) : node;
  }
  return { depth, fail, named };
}

function walkOver(trie: Trie, ids: Int32Array): Automaton {
  const { depth, fail, named } = link(trie, ids);
  const match = (codes: Codes, start: number, end: number, report: (id: number) => void): void => {
    let state = 0;
    let [foundStart, foundEnd, foundId] = [NONE, NONE, NONE];
    for (let at = start; at <= end; ) {
      let next = at < end ? trie.child(state, codes[at] as number) : NONE;
      while (next === NONE && state !== 0) {
        state = fail[state] as number;
        // What was found starts before all that can still come: it stands.
        if (foundId !== NONE && at - (depth[state] as number) > foundStart) break;
        next = at < end ? trie.child(state, codes[at] as number) : NONE;
      }
      const pathStart = next === NONE ? at + 1 : at - (depth[state] as number);
      if (foundId !== NONE && pathStart > foundStart) {
        report(foundId);
        at = foundEnd;
        state = 0;
        foundId = NONE;
        continue;
      }
      state = Math.max(0, next);
      at += 1;
      const name = named[state] as number;
      if (name === NONE) continue;
      const nameStart = at - (depth[name] as number);
      if (foundId === NONE || nameStart <= foundStart) {
        [foundStart, foundEnd, foundId] = [nameStart, at, ids[name] as number];
      }
    }
  };
  return { numNodes: trie.numNodes, match };
}
