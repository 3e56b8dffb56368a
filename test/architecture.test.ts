// The shape of the house as a test: who may import whom, no cycles, file lengths, opening lines.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/** Folder → the folders its files may import. Each entry must be in use: stale ones fail the test. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  cluster: ['core'],
  endpoint: ['core'],
  text: ['core'],
  image: ['core'],
  sample: ['core', 'image'],
  synth: ['core', 'image', 'sample'],
  curate: ['cluster', 'core', 'endpoint', 'image', 'sample'],
  pack: ['cluster', 'core', 'image', 'sample', 'text'],
  tensor: ['core'],
  nn: ['core', 'tensor'],
  parallel: ['core', 'nn', 'tensor'],
  model: ['core', 'image', 'nn', 'tensor', 'text'],
  track: ['core'],
  train: ['core', 'image', 'model', 'nn', 'pack', 'parallel', 'sample', 'tensor', 'text', 'track'],
  eval: ['cluster', 'core', 'endpoint', 'image', 'model', 'sample', 'text'],
};
/** May import everything; nothing imports it. */
const TOP = ['cli', 'recipe.ts', 'index.ts'];
const MAX_LINES = 400;
const MAX_FILES_IN_FOLDER = 12;

const sources = globSync('src/**/*.ts').map(normalize).sort();
const productive = sources.filter((file) => !file.endsWith('.test.ts'));

function imports(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g);
  return [...found].map((match) => normalize(join(dirname(file), match[1] ?? '')));
}

function part(file: string): string {
  return file.split('/')[1] ?? '';
}

test('folders import only what the table allows, and every allowance is used', () => {
  const used = new Set<string>();
  for (const file of productive) {
    const from = part(file);
    if (TOP.includes(from)) continue;
    assert.ok(from in MAY_IMPORT, `${file}: folder ${from} is not in MAY_IMPORT`);
    for (const target of imports(file)) {
      if (!target.startsWith('src/')) assert.fail(`${file} imports ${target}, outside of src/`);
      const to = part(target);
      if (to === from) continue;
      assert.ok(MAY_IMPORT[from]?.includes(to), `${file} imports ${target}: ${from} → ${to}`);
      used.add(`${from} → ${to}`);
    }
  }
  const allowed = Object.entries(MAY_IMPORT).flatMap(([from, list]) =>
    list.map((to) => `${from} → ${to}`),
  );
  assert.deepEqual(
    allowed.filter((arrow) => !used.has(arrow)),
    [],
    'MAY_IMPORT lists arrows that nobody uses',
  );
});

test('no import cycles', () => {
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    assert.notEqual(state.get(file), 'open', `cycle: ${[...path, file].join(' → ')}`);
    state.set(file, 'open');
    for (const target of imports(file)) visit(target, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of productive) visit(file, []);
});

test('only tensor/native.ts touches the addon', () => {
  for (const file of productive) {
    if (file === 'src/tensor/native.ts') continue;
    assert.doesNotMatch(readFileSync(file, 'utf8'), /createRequire|process\.dlopen|\.node'/, file);
  }
});

test('files are short and say what they are', () => {
  const all = ['src', 'test', 'scripts', 'bench', 'examples', 'recipes', 'native'].flatMap((dir) =>
    globSync(`${dir}/**/*.{ts,mjs,cc,h}`),
  );
  for (const file of all.filter((name) => !name.startsWith('test/fixtures'))) {
    const lines = readFileSync(file, 'utf8').split('\n');
    assert.ok(lines.length <= MAX_LINES, `${file} has ${lines.length} lines`);
    const opening = lines[0]?.startsWith('#!') ? lines[1] : lines[0];
    assert.match(opening ?? '', /^(\/\/|\/\*)/, `${file} does not open with what it is`);
  }
});

test('no folder holds more than twelve files', () => {
  const counts = new Map<string, number>();
  for (const file of [...productive, ...globSync('native/**/*.{cc,h}')]) {
    counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  }
  const crowded = [...counts].filter(([, count]) => count > MAX_FILES_IN_FOLDER);
  assert.deepEqual(crowded, []);
});

test('nothing in the tree names a machine path', () => {
  const tracked = globSync(
    '{src,test,scripts,bench,examples,recipes,native,docs}/**/*.{ts,mjs,cc,h,md,py}',
  );
  for (const file of [...tracked, 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md']) {
    assert.doesNotMatch(readFileSync(file, 'utf8'), /(^|[^\w.])\/(home|root|work|opt)\//m, file);
  }
});
