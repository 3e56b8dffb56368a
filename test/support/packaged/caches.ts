// The package caches that tests of the packaged sets run on: drawn stand-ins always, the real packages
// where set-up has fetched them.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasPackage } from '../../../src/sample/corpus/packages.ts';
import { PACKAGED_SETS } from '../../../src/synth/packaged/index.ts';
import { anyFont, writePackages } from './packages.ts';

export interface PackageCache {
  readonly name: 'stand-ins' | 'packages';
  /** Why it cannot be used here. */
  readonly skip: string | false;
  /** From now on packages are those of this cache. */
  use(): void;
}

/** @param root gets the stand-ins */
export function packageCaches(root: string): readonly PackageCache[] {
  const real = process.env['ONEVISION_CACHE'];
  const font = anyFont();
  const drawn = mkdtempSync(join(root, 'cache-'));
  if (font !== undefined) writePackages(drawn, font);
  const missing = PACKAGED_SETS.flatMap(({ packages }) => packages).find((one) => !hasPackage(one));
  return [
    {
      name: 'stand-ins',
      skip: font === undefined ? 'this machine has no font' : false,
      use: () => {
        process.env['ONEVISION_CACHE'] = drawn;
      },
    },
    {
      name: 'packages',
      skip:
        missing === undefined
          ? false
          : `${missing} is not here: npm run setup -- --corpus evaluation`,
      use: () => {
        if (real === undefined) delete process.env['ONEVISION_CACHE'];
        else process.env['ONEVISION_CACHE'] = real;
      },
    },
  ];
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'onevision-packaged-'));
}
