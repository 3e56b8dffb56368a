// The command line as a process: help, suggestions, exit codes, errors without stacks.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Command } from 'commander';
import { tinySamples, writeSamples, writeTinyTokenizer } from '../../test/support/tiny-data.ts';
import { createProgram } from './run.ts';

const dir = mkdtempSync(join(tmpdir(), 'onevision-cli-'));
after(() => rmSync(dir, { recursive: true, force: true }));

function onevision(...args: string[]): { status: number | null; output: string } {
  const run = spawnSync(process.execPath, ['src/cli/main.ts', ...args], { encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
}

test('--help of every command fits one screen of 24 lines; a word means the same in all of them', () => {
  assert.equal(onevision('--help').status, 0);
  const meanings = new Map<string, Set<string>>();
  const visit = (command: Command): void => {
    command.configureOutput({ getOutHelpWidth: () => 80 });
    const lines = command.helpInformation().trimEnd().split('\n');
    assert.ok(lines.length <= 24, `${command.name()}: ${lines.length} lines`);
    for (const { long, flags } of command.options) {
      const value = /<.*>/.exec(flags)?.[0] ?? '';
      meanings.set(long ?? '', (meanings.get(long ?? '') ?? new Set()).add(value));
    }
    command.commands.forEach(visit);
  };
  const program = createProgram();
  visit(program);
  assert.ok(program.commands.length >= 15);
  // A file or a folder, a price of two sorts of tokens or of an hour: what these take depends on the command.
  const several = ['--input', '--output', '--price', '--rows', '--model'];
  for (const [name, values] of meanings) {
    if (!several.includes(name)) assert.equal(values.size, 1, `${name}: ${[...values].join(' ')}`);
  }
});

test('--help of no command loads an engine: neither libtorch nor sharp nor DuckDB', () => {
  const spy = `import { registerHooks } from 'node:module';
    registerHooks({ resolve: (name, context, next) => {
      const found = next(name, context);
      if (/(sharp|@duckdb|@img)\\/|\\.node$|src\\/tensor\\//.test(found.url)) {
        process.stderr.write('loads ' + found.url + '\\n');
      }
      return found;
    } });`;
  const load = `--import=data:text/javascript,${encodeURIComponent(spy)}`;
  const loads = (...args: string[]): RegExpMatchArray | null => {
    const run = spawnSync(process.execPath, [load, 'src/cli/main.ts', ...args], {
      encoding: 'utf8',
    });
    return run.stderr.match(/loads .*/);
  };
  assert.equal(loads('--help'), null);
  assert.equal(loads('pack', 'files', '--help'), null);
  assert.notEqual(loads('data', 'info', dir), null, 'the test sees what is loaded');
});

test('a mistyped command or flag is refused with a suggestion', () => {
  const command = onevision('trian');
  assert.equal(command.status, 2);
  assert.match(command.output, /Did you mean train/);
  const flag = onevision('train', '--stge', 'align');
  assert.equal(flag.status, 2);
  assert.match(flag.output, /--stage/);
});

test('known failures are help, not stacks, with their exit codes', () => {
  const noModel = onevision('chat', '--run', dir, 'What is this?');
  assert.equal(noModel.status, 4);
  assert.match(noModel.output, /error \(checkpoint\): .*\n {2}hint: /);
  assert.doesNotMatch(noModel.output, /\n {4}at /);
  const noPicture = onevision('chat', '--run', dir, '--image', join(dir, 'none.png'), 'Hi');
  assert.equal(noPicture.status, 2);
  assert.match(noPicture.output, /none\.png/);
  const noKey = onevision('train', '--run', dir, '--set', 'stages.align.train.stpes=3');
  assert.equal(noKey.status, 2);
  assert.match(noKey.output, /stpes/);
  assert.match(onevision('--debug', 'chat', '--run', dir, 'Hi').output, /\n {4}at /);
});

test('curate report and mix name what is missing', () => {
  const page = onevision('curate', 'report', dir);
  assert.equal(page.status, 4);
  assert.match(page.output, /report\.json/);
  const mixture = onevision(
    'curate',
    'mix',
    dir,
    '--mixture',
    join(dir, 'none.ts'),
    '--output',
    dir,
  );
  assert.equal(mixture.status, 2);
  assert.match(mixture.output, /Expected a mixture module at .*none\.ts/);
});

test('doctor reports the engine as JSON', () => {
  const { status, output } = onevision('doctor', '--json');
  assert.equal(status, 0, output);
  const names = JSON.parse(output).checks.map((check: { name: string }) => check.name);
  assert.deepEqual(names, [
    'node',
    'cores',
    'memory',
    'disk',
    'addon',
    'libtorch',
    'threads',
    'devices',
    'ranks',
    'matmul',
  ]);
});

test('packs of a folder without a recipe: written, previewed, reported', async () => {
  const samples = await tinySamples(40);
  await writeSamples(join(dir, 'in'), samples);
  const tokenizer = await writeTinyTokenizer(dir, samples);
  const output = join(dir, 'packs');
  const to = ['--output', output, '--tokenizer', tokenizer, '--max-tokens', '512', '--json'];
  const packed = onevision('pack', 'files', join(dir, 'in'), ...to, '--max-pixels', '3136');
  assert.equal(packed.status, 0, packed.output);
  const shown = onevision('data', 'preview', output, '--tokenizer', tokenizer, '--json');
  const { segments } = JSON.parse(shown.output);
  assert.ok(segments.every((segment: { numTrained: number }) => segment.numTrained > 0));
  assert.match(
    onevision('data', 'preview', output, '--tokenizer', tokenizer).output,
    /⟦.*<\|im_end\|>⟧/,
  );
  assert.equal(onevision('pack', 'report', output).status, 0);
  assert.match(readFileSync(join(output, 'report.html'), 'utf8'), /samples<\/td><td>40</);
  assert.equal(onevision('pack', 'files', output, ...to, '--layout', 'energy').status, 2);
});
