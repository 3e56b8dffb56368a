// Writes bicubic-wasm.ts from bicubic.wat. Run by `npm run generate`; a test proves it up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import wabt from 'wabt';

/** The text of bicubic-wasm.ts. @throws where bicubic.wat is not valid */
export async function generateWasm(): Promise<string> {
  const source = readFileSync(new URL('bicubic.wat', import.meta.url), 'utf8');
  const module = (await wabt()).parseWat('bicubic.wat', source, { simd: true });
  module.validate();
  const base64 = Buffer.from(module.toBinary({}).buffer).toString('base64');
  const lines = base64.match(/.{1,88}/g)?.map((line) => `  '${line}'`) ?? [];
  return (
    '// Generated from bicubic.wat by generate-wasm.ts. Do not edit: run `npm run generate`.\n' +
    `export const BICUBIC_WASM: string =\n${lines.join(' +\n')};\n`
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(new URL('bicubic-wasm.ts', import.meta.url), await generateWasm());
}
