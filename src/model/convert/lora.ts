// Low-rank adapters in PEFT's layout, added into the weights they were trained beside:
// W' = W + scale · B A. Hu et al. 2021.

import * as path from 'node:path';
import * as z from 'zod';
import { OneVisionError } from '../../core/errors.ts';
import { readJson } from '../../core/files.ts';
import * as ops from '../../tensor/ops.ts';
import { openSafetensors } from '../../tensor/safetensors.ts';
import { type LazyTensor, lazyFrom } from '../../tensor/storage/stored-tensor.ts';
import { checkNoDifferences } from '../checkpoint/compare.ts';
import { releasedName } from '../checkpoint/weights.ts';

const schema = z.looseObject({
  peft_type: z.literal('LORA'),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  use_rslora: z.boolean().default(false),
  use_dora: z.literal(false, { error: 'DoRA is not supported' }).default(false),
  fan_in_fan_out: z.literal(false).default(false),
  alpha_pattern: z.record(z.string(), z.number().positive()).default({}),
});
type AdapterConfig = z.infer<typeof schema>;

/** An open adapter: the base's tensors with it merged in. */
export interface MergedAdapter {
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  /** How many weights it changes. */
  readonly numChanged: number;
  close(): void;
  [Symbol.dispose](): void;
}

/**
 * Merge the adapter of a folder (adapter_config.json, adapter_model.safetensors) into a base.
 * Products are summed in float32 and rounded once to the base's type.
 * @throws OneVisionError 'checkpoint' for an adapter of another kind, or one that does not fit.
 */
export function mergeAdapter(base: ReadonlyMap<string, LazyTensor>, folder: string): MergedAdapter {
  const config = readJson(path.join(folder, 'adapter_config.json'), schema, 'checkpoint');
  const file = openSafetensors(path.join(folder, 'adapter_model.safetensors'));
  const close = (): void => file.close();
  try {
    const adapter = collect(new Map(file.names.map((name) => [name, file.lazy(name)])));
    const changed = new Map<string, LazyTensor>();
    const differences: string[] = [];
    for (const [name, whole] of adapter.whole) {
      const old = base.get(name);
      if (old === undefined) differences.push(`unexpected: ${name}`);
      else if (old.shape.join() !== whole.shape.join()) {
        differences.push(`misshapen: ${name} is [${whole.shape}], expected [${old.shape}]`);
      } else changed.set(name, { ...whole, dtype: old.dtype, read: asType(whole, old) });
    }
    for (const [module, { a, b }] of adapter.pairs) {
      const name = `${module}.weight`;
      const old = base.get(name);
      if (old === undefined) differences.push(`unexpected: ${name}`);
      else if (a === undefined || b === undefined) {
        differences.push(`missing: ${module}.lora_${a === undefined ? 'A' : 'B'}.weight`);
      } else if (!fits(old, a, b)) {
        differences.push(`misshapen: ${module} is [${b.shape}] · [${a.shape}], [${old.shape}]`);
      } else changed.set(name, addProduct(old, { a, b }, scaleOf(module, config, a)));
    }
    for (const name of adapter.unknown) differences.push(`unexpected: ${name}`);
    checkNoDifferences(differences, {
      where: folder,
      numExpected: adapter.pairs.size + adapter.whole.size,
      hint: 'give the base that the adapter was trained on; only LoRA of linear layers is merged',
    });
    const tensors = new Map([...base].map(([name, old]) => [name, changed.get(name) ?? old]));
    return { tensors, numChanged: changed.size, close, [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }
}

interface Pair {
  a?: LazyTensor;
  b?: LazyTensor;
}

interface Adapter {
  /** Released name of a linear layer → its two factors. */
  readonly pairs: Map<string, Pair>;
  /** Released names of tensors that the adapter replaces (`modules_to_save`, biases). */
  readonly whole: Map<string, LazyTensor>;
  readonly unknown: string[];
}

function collect(stored: ReadonlyMap<string, LazyTensor>): Adapter {
  const adapter: Adapter = { pairs: new Map(), whole: new Map(), unknown: [] };
  for (const [full, tensor] of stored) {
    const [, name] = /^base_model\.model\.(.+)$/.exec(full) ?? [];
    const [, module, factor] = /^(.+)\.lora_([AB])(?:\.default)?\.weight$/.exec(name ?? '') ?? [];
    if (name === undefined || (name.includes('lora_') && module === undefined)) {
      adapter.unknown.push(full);
    } else if (module === undefined) {
      const plain = name.replace('.base_layer.', '.').replace('.modules_to_save.default.', '.');
      adapter.whole.set(releasedName(plain), tensor);
    } else {
      const key = releasedName(module);
      const pair = adapter.pairs.get(key) ?? {};
      pair[factor === 'A' ? 'a' : 'b'] = tensor;
      adapter.pairs.set(key, pair);
    }
  }
  return adapter;
}

function fits({ shape: [rows, columns] }: LazyTensor, a: LazyTensor, b: LazyTensor): boolean {
  const isProduct = a.shape.length === 2 && b.shape.length === 2 && a.shape[0] === b.shape[1];
  return isProduct && b.shape[0] === rows && a.shape[1] === columns;
}

/** α / r, or α / √r with rank stabilisation; patterns may say otherwise for a module. */
function scaleOf(module: string, config: AdapterConfig, a: LazyTensor): number {
  const matches = (pattern: string): boolean => toPattern(pattern).test(module);
  const alpha = Object.entries(config.alpha_pattern).find(([key]) => matches(key))?.[1];
  const rank = a.shape[0] ?? config.r;
  return (alpha ?? config.lora_alpha) / (config.use_rslora ? Math.sqrt(rank) : rank);
}

/** PEFT's rule: a regular expression for the end of a module's name. */
function toPattern(text: string): RegExp {
  try {
    return new RegExp(`(^|\\.)(${text})$`);
  } catch (cause) {
    throw new OneVisionError('checkpoint', `expected a pattern of module names, came ${text}`, {
      cause,
      hint: 'correct alpha_pattern in adapter_config.json',
    });
  }
}

function addProduct(old: LazyTensor, { a, b }: Required<Pair>, scale: number): LazyTensor {
  return lazyFrom(old, () => {
    const wide = { dtype: old.dtype === 'float64' ? 'float64' : 'float32' } as const;
    const product = ops.matmul(b.read(wide), a.read(wide));
    const sum = ops.add(old.read({ ...wide, mapped: false }), product, { alpha: scale });
    return sum.dtype === old.dtype ? sum : ops.toCopy(sum, { dtype: old.dtype });
  });
}

function asType(whole: LazyTensor, { dtype }: LazyTensor): LazyTensor['read'] {
  return (placement) => whole.read({ dtype, ...placement });
}
