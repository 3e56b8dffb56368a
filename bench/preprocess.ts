// Pictures a second from JPEG bytes to normalised patches: ours against transformers'
// Qwen2VLImageProcessorPil on Pillow, the same files in turns, by processor time on one thread.
// Run: PYTHON=<a python with transformers, torch and pillow> node bench/preprocess.ts
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { createRandom } from '../src/core/hash.ts';
import { QWEN_PROCESSOR } from '../src/image/config.ts';
import { processImage } from '../src/image/patchify.ts';
import { startPython } from './support/python-peer.ts';

/** Width and height: a web picture, a screen, a photograph that has to shrink. */
const SIZES = [
  [640, 480],
  [1280, 960],
  [4000, 3000],
] as const;
const ROUNDS = 7;

const PYTHON_CODE = `
import io, sys, time
import torch, transformers
from PIL import Image
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
torch.set_num_threads(1)
processor = Qwen2VLImageProcessorPil(
    temporal_patch_size=1, size={"shortest_edge": 56 * 56, "longest_edge": 1600 * 1600})
print("transformers", transformers.__version__, flush=True)
for line in sys.stdin:
    data = open(line.strip(), "rb").read()
    start = time.process_time()
    processor([Image.open(io.BytesIO(data)).convert("RGB")], return_tensors="pt")
    print((time.process_time() - start) * 1000, flush=True)
`;

/** A JPEG with both smooth and fine parts. */
async function makePicture(width: number, height: number): Promise<Buffer> {
  const random = createRandom('preprocess', width, height);
  const coarse = Buffer.from(Uint8Array.from({ length: 40 * 30 * 3 }, () => random.int(256)));
  const smooth = await sharp(coarse, { raw: { width: 40, height: 30, channels: 3 } })
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .raw()
    .toBuffer();
  const rough = smooth.map((value) => Math.min(255, Math.max(0, value + random.int(13) - 6)));
  return sharp(rough, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 90 })
    .toBuffer();
}

async function ours(bytes: Buffer): Promise<number> {
  const start = process.cpuUsage();
  await processImage(bytes, QWEN_PROCESSOR);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

sharp.concurrency(1);
const folder = mkdtempSync(join(tmpdir(), 'onevision-preprocess-'));
using peer = await startPython(PYTHON_CODE);
try {
  for (const [width, height] of SIZES) {
    const bytes = await makePicture(width, height);
    const file = join(folder, `${width}.jpg`);
    writeFileSync(file, bytes);
    const [mine, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      mine.push(await ours(bytes));
      if (peer !== undefined) theirs.push(Number(await peer.ask(file)));
    }
    const [best, rival] = [Math.min(...mine), Math.min(...theirs)];
    const rate = (ms: number): string => `${(1000 / ms).toFixed(1)} images/s (${ms.toFixed(1)} ms)`;
    const other =
      peer === undefined
        ? 'transformers not measured'
        : `transformers ${rate(rival)}, ratio ${(rival / best).toFixed(2)}`;
    console.log(`${width} × ${height}: OneVision ${rate(best)}, ${other}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
