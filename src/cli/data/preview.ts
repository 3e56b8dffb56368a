// Samples as text: who says what, and what each image is.
import { readImageSize } from '../../image/decode.ts';
import type { Sample } from '../../sample/sample.ts';
import { openSource } from '../../sample/sources/open.ts';
import { readSource, type SourceSpec } from '../../sample/sources/source.ts';

export interface Preview extends Omit<Sample, 'images'> {
  readonly images: readonly string[];
  /** The same for people. */
  readonly text: string;
}

const MAX_CHARS = 2000;

/** The first samples of a source, or the one with a uid. */
export async function previewSamples(
  spec: SourceSpec,
  count: number,
  uid?: string,
): Promise<Preview[]> {
  const source = await openSource(spec);
  const found: Preview[] = [];
  for await (const { sample } of readSource(source)) {
    if (sample === undefined || (uid !== undefined && sample.uid !== uid)) continue;
    found.push(await previewOf(sample));
    if (found.length >= (uid === undefined ? count : 1)) break;
  }
  return found;
}

async function previewOf(sample: Sample): Promise<Preview> {
  const images = await Promise.all(
    sample.images.map(async ({ name, bytes }) => {
      const size = await readImageSize(bytes).catch(() => undefined);
      const shape = size === undefined ? 'no readable size' : `${size.width} × ${size.height}`;
      return `${name}: ${shape}, ${bytes.byteLength} bytes`;
    }),
  );
  const { uid, source, group, split, messages, meta } = sample;
  const lines = [
    `${uid}  (${source}, ${split}, group ${group})`,
    ...images.map((image) => `  ${image}`),
    ...messages.map(({ role, content }) => `  ${role}: ${visible(content)}`),
    `  meta: ${visible(JSON.stringify(meta))}`,
  ];
  return { ...sample, images, text: lines.join('\n') };
}

/** Control characters would reach the terminal. */
function visible(text: string): string {
  const cut = text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text;
  return cut.replaceAll(/[\p{Cc}]/gu, (sign) => (sign === '\n' ? '\n    ' : '�'));
}
