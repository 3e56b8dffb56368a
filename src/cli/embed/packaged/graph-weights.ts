// The weights of a TensorFlow.js model: one run of bytes, cut by a list of names, shapes and types;
// 8-bit ones are min + scale · byte. No runtime, no graph.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import * as z from 'zod';
import { OneVisionError } from '../../../core/errors.ts';
import { fromArray, type Tensor } from '../../../tensor/index.ts';

const specSchema = z.object({
  name: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  dtype: z.string(),
  quantization: z
    .object({ min: z.number(), scale: z.number(), dtype: z.literal('uint8') })
    .optional(),
});
const modelSchema = z.object({
  weightsManifest: z.tuple([
    z.object({ paths: z.array(z.string()), weights: z.array(specSchema) }),
  ]),
});

/** Float weights by name. */
export interface GraphWeights {
  /**
   * The weight whose name ends so, as a float32 tensor of the caller's scope.
   * @throws OneVisionError 'data' when the model has none.
   */
  tensor(ending: string): Tensor;
}

/** Of a folder with `model.json` and its shards. @throws OneVisionError 'data' for another model. */
export function readGraphWeights(folder: string): GraphWeights {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  return weightsOf(JSON.parse(read('model.json').toString('utf8')), folder, read);
}

/** Of a folder whose files are modules: `model.min.js`, and shards as text in base 64. */
export function readModuleWeights(folder: string): GraphWeights {
  const read = (name: string): unknown => {
    const module = { exports: {} as unknown };
    const context = createContext({ module, exports: module.exports });
    runInContext(readFileSync(join(folder, `${name}.min.js`), 'utf8'), context);
    return module.exports;
  };
  const shard = (name: string): Buffer => Buffer.from(z.string().parse(read(name)), 'base64');
  return weightsOf(read('model'), folder, shard);
}

function weightsOf(model: unknown, where: string, read: (name: string) => Buffer): GraphWeights {
  const parsed = modelSchema.safeParse(model);
  if (!parsed.success) throw foreign(where, z.prettifyError(parsed.error));
  const [{ paths, weights }] = parsed.data.weightsManifest;
  const bytes = Buffer.concat(paths.map(read));
  const found = new Map<string, { start: number; spec: z.infer<typeof specSchema> }>();
  let start = 0;
  for (const spec of weights) {
    found.set(spec.name, { start, spec });
    start += sizeOf(spec) * (spec.quantization === undefined ? 4 : 1);
  }
  if (start !== bytes.length) throw foreign(where, `${bytes.length} bytes of weights for ${start}`);
  return {
    tensor: (ending) => {
      const name = [...found.keys()].find((key) => key.endsWith(ending));
      const weight = name === undefined ? undefined : found.get(name);
      if (weight?.spec.dtype !== 'float32') throw foreign(where, `no weights ${ending}`);
      return fromArray(valuesOf(bytes, weight.start, weight.spec), weight.spec.shape);
    },
  };
}

function sizeOf({ shape }: z.infer<typeof specSchema>): number {
  return shape.reduce((product, side) => product * side, 1);
}

function valuesOf(
  bytes: Buffer,
  start: number,
  spec: z.infer<typeof specSchema>,
): Float32Array<ArrayBuffer> {
  const size = sizeOf(spec);
  const { quantization } = spec;
  if (quantization === undefined) {
    return Float32Array.from({ length: size }, (_, i) => bytes.readFloatLE(start + 4 * i));
  }
  const { min, scale } = quantization;
  return Float32Array.from({ length: size }, (_, i) => min + scale * (bytes[start + i] as number));
}

function foreign(where: string, what: string): OneVisionError {
  return new OneVisionError('data', `Expected the weights of an encoder in ${where}: ${what}`, {
    hint: 'fetch the package again: npm run setup -- --corpus full',
  });
}
