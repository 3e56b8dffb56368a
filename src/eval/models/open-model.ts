// A model under evaluation by what a file can say of it, so that every process of a run opens the same.
import * as z from 'zod';
import type { EvalModel } from '../eval-model.ts';
import { type EndpointOptions, endpointModel } from './endpoint-model.ts';

/** A folder in the Hugging Face layout, or an endpoint. The key of an endpoint stays in a variable. */
export type ModelSpec =
  | {
      readonly kind: 'folder';
      readonly folder: string;
      readonly device?: string | undefined;
      readonly maxBatchTokens?: number | undefined;
    }
  | (Omit<EndpointOptions, 'apiKey'> & {
      readonly kind: 'endpoint';
      /** Name of the environment variable that holds the key. */
      readonly keyVariable?: string | undefined;
    });

export const modelSpecSchema: z.ZodType<ModelSpec> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('folder'),
    folder: z.string(),
    device: z.string().optional(),
    maxBatchTokens: z.number().optional(),
  }),
  z.strictObject({
    kind: z.literal('endpoint'),
    url: z.string(),
    model: z.string(),
    keyVariable: z.string().optional(),
    cache: z.string(),
    timeoutMs: z.number().optional(),
    maxConcurrency: z.number().optional(),
    maxRetries: z.number().optional(),
    backoffMs: z.number().optional(),
  }),
]);

/** A model with what it holds; `using` frees it. */
export interface OpenedModel {
  readonly model: EvalModel;
  [Symbol.dispose](): void;
}

/**
 * @param identity of a folder's weights, where it is known: hashing them takes a while
 * @throws OneVisionError 'checkpoint' for a folder that is no model
 */
export async function openModel(spec: ModelSpec, identity?: string): Promise<OpenedModel> {
  if (spec.kind === 'folder') {
    // The engine is loaded only where it is asked for: an endpoint needs no libtorch.
    const { loadCheckpoint } = await import('../../model/checkpoint.ts');
    const { hashCheckpoint, localModel } = await import('../local-model.ts');
    const { folder, device, maxBatchTokens } = spec;
    const { model, processor } = loadCheckpoint(folder, device === undefined ? {} : { device });
    const hash = identity ?? (await hashCheckpoint(folder));
    const options = { identity: hash, ...(maxBatchTokens === undefined ? {} : { maxBatchTokens }) };
    const local = localModel(model, processor, options);
    return { model: erased(local), [Symbol.dispose]: () => model[Symbol.dispose]() };
  }
  const { kind: _, keyVariable, ...options } = spec;
  const apiKey = keyVariable === undefined ? undefined : process.env[keyVariable];
  const remote = endpointModel({ ...options, apiKey });
  return { model: erased(remote), [Symbol.dispose]: () => remote[Symbol.dispose]() };
}

/** Whatever a model prepares is given back to the same model: its type is nobody else's matter. */
function erased<P>(model: EvalModel<P>): EvalModel {
  return model as unknown as EvalModel;
}
