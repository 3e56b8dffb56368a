// Every TypeScript block of the documentation type-checks, and every link leads somewhere.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

const pages = [...globSync('docs/*.md'), 'README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].sort();

test('code blocks type-check', () => {
  // Beside docs/, so that the blocks' imports of ../src/ lead to the same place.
  const dir = mkdtempSync('.docs-check-');
  try {
    const compilerOptions = {
      isolatedDeclarations: false,
      declaration: false,
      noUnusedLocals: false,
      typeRoots: ['../node_modules/@types'],
    };
    const config = { extends: '../tsconfig.json', compilerOptions, include: ['*.ts'] };
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config));
    let count = 0;
    for (const page of pages) {
      const blocks = readFileSync(page, 'utf8').matchAll(/^```ts\n(.*?)^```/gms);
      for (const [, block = ''] of blocks) {
        count += 1;
        writeFileSync(join(dir, `${basename(page, '.md')}-${count}.ts`), `${block}\nexport {};\n`);
      }
    }
    assert.ok(count > 0);
    const { status, stdout } = spawnSync('npx', ['tsc', '-p', dir], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('links between pages lead somewhere', () => {
  for (const page of pages) {
    for (const [, target = ''] of readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^https?:/.test(target)) continue;
      assert.ok(existsSync(join(dirname(page), target)), `${page} links to ${target}`);
    }
  }
});
