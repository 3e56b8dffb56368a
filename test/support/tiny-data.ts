// Small, seeded data for tests: coloured pictures with a question, a tokenizer trained on them.

import { join } from 'node:path';
import sharp from 'sharp';
import { createRandom, sha256Hex } from '../../src/core/hash.ts';
import type { ProcessorConfig } from '../../src/image/config.ts';
import { QWEN_PROCESSOR } from '../../src/image/config.ts';
import { writeManifest } from '../../src/sample/manifest.ts';
import type { Message, Sample, SampleImage } from '../../src/sample/sample.ts';
import { createShardWriter } from '../../src/sample/webdataset.ts';
import { createTokenizer } from '../../src/text/tokenizer.ts';
import { trainTokenizer } from '../../src/text/train-bpe.ts';

const COLOURS = ['red', 'green', 'blue', 'grey'] as const;
const RGB = { red: '#e02020', green: '#20c040', blue: '#2040e0', grey: '#808080' };

/** Pictures of at most 56 × 56 pixels: 4 to 16 patches, 1 to 4 image tokens. */
export const TINY_PROCESSOR: ProcessorConfig = {
  ...QWEN_PROCESSOR,
  minPixels: 28 * 28,
  maxPixels: 56 * 56,
};

/** `count` samples, the same for the same seed: one picture, two, or none; one turn or two. */
export async function tinySamples(count: number, seed = 0, source = 'tiny'): Promise<Sample[]> {
  const pictures = new Map<string, Buffer>();
  for (const colour of COLOURS) {
    for (const size of [28, 56]) {
      const background = RGB[colour];
      const image = sharp({ create: { width: size, height: 56, channels: 3, background } });
      pictures.set(`${colour}${size}`, await image.png().toBuffer());
    }
  }
  return Array.from({ length: count }, (_, index) => {
    const random = createRandom('tiny', seed, source, index);
    const numImages = random.pick([0, 1, 1, 1, 2]);
    const colours = Array.from({ length: numImages }, () => random.pick(COLOURS));
    const images = colours.map(
      (colour, i): SampleImage => ({
        name: `img${i}.png`,
        bytes: pictures.get(`${colour}${random.pick([28, 56])}`) ?? Buffer.alloc(0),
      }),
    );
    const answer = numImages === 0 ? 'There is no picture.' : `It is ${colours.join(' and ')}.`;
    const messages: Message[] = [
      { role: 'user', content: `${'<image>'.repeat(numImages)}What colour is this?` },
      { role: 'assistant', content: answer },
    ];
    if (random.next() < 0.3) {
      messages.push({ role: 'user', content: 'Are you sure?' });
      messages.push({ role: 'assistant', content: 'Yes, '.repeat(1 + random.int(6)) });
    }
    const uid = `${source}-${seed}-${index}`;
    return { uid, source, group: uid, split: 'train', messages, images, meta: { index } };
  });
}

/** Writes samples as a finished folder of shards. */
export async function writeSamples(
  dir: string,
  samples: readonly Sample[],
  maxSamples = 100,
): Promise<void> {
  const writer = createShardWriter(dir, { maxSamples });
  for (const sample of samples) await writer.write(sample);
  const files = await writer.close();
  await writeManifest(dir, {
    format: 'onevision/1',
    kind: 'samples',
    stage: 'test',
    configHash: sha256Hex(files.map((file) => file.sha256).join()).slice(0, 16),
    counts: { samples: samples.length },
    files,
    stats: {},
  });
}

/** Trains a tokenizer of about 300 tokens on samples and saves it; returns its folder. */
export async function writeTinyTokenizer(dir: string, samples: readonly Sample[]): Promise<string> {
  const texts = samples.flatMap((sample) => sample.messages.map((message) => message.content));
  const files = trainTokenizer(texts, 300, { defaultSystem: '' });
  const folder = join(dir, 'tokenizer');
  await createTokenizer(files).save(folder);
  return folder;
}
