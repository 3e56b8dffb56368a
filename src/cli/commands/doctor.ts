// `onevision doctor`: what this machine has, what is missing, and how fast a matrix product runs.
import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { Command } from 'commander';
import { OneVisionError } from '../../core/errors.ts';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly value: string;
}

const GIB = 2 ** 30;

/** Checks Node, the addon, libtorch, threads, memory and disk, and times a product for a second. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('check Node, addon, libtorch, threads, memory and disk')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const checks = [...machineChecks(), ...(await engineChecks())];
      if (options.json) console.log(JSON.stringify({ checks }));
      else for (const check of checks) console.log(line(check));
      const broken = checks.find((check) => !check.ok);
      if (broken !== undefined) {
        throw new OneVisionError('libtorch', `${broken.name}: ${broken.value}`, {
          hint: 'npm run setup',
        });
      }
    });
}

function line(check: Check): string {
  return `${check.ok ? 'ok  ' : 'FAIL'}  ${check.name.padEnd(10)} ${check.value}`;
}

function machineChecks(): Check[] {
  const disk = statfsSync('.');
  const freeDisk = (disk.bavail * disk.bsize) / GIB;
  return [
    { name: 'node', ok: isSupportedNode(), value: `${process.version} (22.18 or newer)` },
    { name: 'cores', ok: true, value: String(availableParallelism()) },
    {
      name: 'memory',
      ok: true,
      value: `${(freemem() / GIB).toFixed(1)} of ${(totalmem() / GIB).toFixed(1)} GiB free`,
    },
    { name: 'disk', ok: freeDisk > 2, value: `${freeDisk.toFixed(1)} GiB free (2 needed)` },
  ];
}

function isSupportedNode(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 18);
}

async function engineChecks(): Promise<Check[]> {
  const built = new URL('../../../build/addon.json', import.meta.url);
  if (!existsSync(built)) {
    return [{ name: 'addon', ok: false, value: 'not built (build/addon.json is missing)' }];
  }
  const addon = JSON.parse(readFileSync(built, 'utf8')) as Record<string, unknown>;
  const { deviceNames, numThreads } = await import('../../tensor/index.ts');
  return [
    { name: 'addon', ok: true, value: String(addon['path']) },
    { name: 'libtorch', ok: true, value: `${addon['version']} in ${addon['libtorch']}` },
    { name: 'threads', ok: true, value: `${numThreads()} of libtorch` },
    { name: 'devices', ok: true, value: ['cpu', ...deviceNames()].join(', ') },
    { name: 'ranks', ok: true, value: await rankBackends() },
    { name: 'matmul', ok: true, value: await matmulSpeeds() },
  ];
}

/** What tensors of several ranks travel by. */
async function rankBackends(): Promise<string> {
  const { native } = await import('../../tensor/native.ts');
  const reason = native().whyNoNccl();
  return reason === null ? 'Gloo, NCCL' : `Gloo; no NCCL: ${reason}`;
}

/** Processors without bfloat16 instructions multiply in it a hundred times slower: say so. */
async function matmulSpeeds(): Promise<string> {
  const single = await measureMatmul('float32');
  const half = await measureMatmul('bfloat16');
  const advice = half < single ? '; train and chat in float32 here' : '';
  return `${single.toFixed(0)} GFLOP/s in float32, ${half.toFixed(1)} in bfloat16${advice}`;
}

/** GFLOP/s of 1024 × 1024 products, counted over half a second. */
async function measureMatmul(dtype: 'float32' | 'bfloat16'): Promise<number> {
  const { fromArray, tidy } = await import('../../tensor/index.ts');
  const ops = await import('../../tensor/ops.ts');
  const size = 1024;
  const values = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i));
  return tidy(() => {
    const a = ops.toCopy(fromArray(values, [size, size]), { dtype });
    ops.matmul(a, a).dispose();
    const started = performance.now();
    let count = 0;
    while (performance.now() - started < 500) {
      ops.matmul(a, a).dispose();
      count += 1;
    }
    return (count * 2 * size ** 3) / ((performance.now() - started) * 1e6);
  });
}
