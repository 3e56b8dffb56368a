// Captioning: every sample with one picture gets a caption by a model behind an OpenAI-compatible
// endpoint. One ledger row an input; answers are kept, so a run that is killed pays for nothing twice.
import { join } from 'node:path';
import { OneVisionError } from '../../core/errors.ts';
import { ensureFolder, sweepTemporary } from '../../core/files.ts';
import { sha256Hex } from '../../core/hash.ts';
import { type Logger, log as processLog } from '../../core/log.ts';
import { mapConcurrent } from '../../core/pool.ts';
import { createProgress, type Progress } from '../../core/progress.ts';
import { openCache } from '../../endpoint/answers.ts';
import { LEDGER, type LedgerRow, writeLedger } from '../../sample/ledger.ts';
import {
  hashConfig,
  isComplete,
  type Manifest,
  readManifest,
  writeManifest,
} from '../../sample/manifest.ts';
import { repliesOf, type Sample } from '../../sample/sample.ts';
import { createSkipCounter } from '../../sample/skips.ts';
import { openSource } from '../../sample/sources/open.ts';
import {
  eachLost,
  readSource,
  type SourceEntry,
  type SourceSpec,
} from '../../sample/sources/source.ts';
import { createShardWriter, type ShardFile } from '../../sample/webdataset.ts';
import { type Captioner, type CaptionOutcome, createCaptioner } from './captioner.ts';
import {
  type CaptionConfig,
  type CaptionInput,
  type CaptionTransport,
  captionSchema,
} from './config.ts';
import { pictureAddress } from './picture.ts';
import { choosePrompt, type PromptTable, promptsOf, readPrompts } from './prompts.ts';
import { invalidReason } from './validity.ts';

export interface CaptionOptions {
  readonly input: string | SourceSpec;
  readonly output: string;
  readonly config: CaptionInput;
  readonly transport: CaptionTransport;
  /** File of answers; default `captions.sqlite` beside the output folder. */
  readonly cache?: string;
  readonly prompts?: PromptTable;
  readonly log?: Logger;
}

const STAGE = 'caption';
/** As many samples in a row without an answer: the endpoint is down. */
const MAX_ERRORS_IN_A_ROW = 20;

/** One input and what came of it. */
interface Captioned {
  readonly sample?: Sample;
  readonly rows: readonly Omit<LedgerRow, 'stage' | 'configHash'>[];
  readonly outcome?: CaptionOutcome;
}

/**
 * Caption the samples of a source. Samples without or with several pictures pass as they are.
 *
 * @throws OneVisionError 'data' when the endpoint is down or answers too seldom, 'usage' when it
 * refuses the key or the model.
 */
export async function caption(options: CaptionOptions): Promise<Manifest> {
  const { output, log = processLog } = options;
  const config = captionSchema.parse(options.config);
  const prompts = options.prompts ?? readPrompts();
  for (const language of Object.keys(config.languages)) promptsOf(language, prompts);
  const source = await openSource(options.input);
  const configHash = hashConfig('caption/1', config, prompts, source.hash);
  if (isComplete(output, configHash)) return readManifest(output);
  ensureFolder(output);
  sweepTemporary(output);
  using cache = openCache(options.cache ?? `${output.replace(/\/$/, '')}.captions.sqlite`);
  const captioner = createCaptioner({
    endpoint: { ...options.transport, model: config.model },
    cache,
    maxTokens: config.maxTokens,
    temperature: config.temperature,
    maxAttempts: config.maxAttempts,
    check: (answer, language) =>
      invalidReason(answer, language, promptsOf(language, prompts).refusals, config),
  });
  const counts = counter();
  const writer = createShardWriter(output, { prefix: STAGE, maxSamples: config.samplesPerShard });
  let files: ShardFile[];
  try {
    const results = captionAll(readSource(source), captioner, config, prompts, options.transport);
    await writeLedger(join(output, LEDGER), writeResults(results, writer, counts, configHash));
    files = await writer.close();
  } finally {
    await writer.abort();
  }
  const manifest = toManifest(files, counts.values, configHash, config);
  await writeManifest(output, manifest);
  log.info('captioned', { ...counts.values, ...spent(captioner, options.transport) });
  return manifest;
}

async function* captionAll(
  entries: AsyncIterable<SourceEntry>,
  captioner: Captioner,
  config: CaptionConfig,
  prompts: PromptTable,
  transport: CaptionTransport,
): AsyncGenerator<Captioned, void, undefined> {
  const skips = createSkipCounter({ maxRate: config.maxErrorRate });
  let errorsInARow = 0;
  using progress = createProgress({ label: STAGE, unit: 'samples' });
  const limit = transport.maxConcurrency ?? 32;
  const results = mapConcurrent(entries, limit, (entry) =>
    captionEntry(entry, captioner, config, prompts),
  );
  for await (const result of results) {
    show(progress, captioner, transport);
    const isError = result.outcome?.isError === true;
    errorsInARow = isError ? errorsInARow + 1 : 0;
    if (errorsInARow >= MAX_ERRORS_IN_A_ROW) throw isDown(transport.url, result.outcome?.reason);
    if (isError) skips.skip(result.rows[0]?.uid ?? '', result.outcome?.reason ?? '');
    else skips.good();
    yield result;
  }
  skips.check();
}

async function captionEntry(
  { sample, lost }: SourceEntry,
  captioner: Captioner,
  config: CaptionConfig,
  prompts: PromptTable,
): Promise<Captioned> {
  if (sample === undefined) {
    return { rows: eachLost(lost).map((row) => ({ ...row, verdict: 'error' })) };
  }
  const { uid, images } = sample;
  const [image] = images;
  if (image === undefined || images.length > 1) {
    return { sample, rows: [{ uid, verdict: 'keep', reason: 'not-one-picture' }] };
  }
  const prompt = choosePrompt(uid, config.seed, config.languages, prompts);
  try {
    const outcome = await captioner.caption({
      prompt,
      imageHash: `${sha256Hex(image.bytes)}@${config.maxSide}`,
      load: () => pictureAddress(image.bytes, config.maxSide),
    });
    const { text, reason = '' } = outcome;
    if (text === undefined) {
      const verdict = outcome.isError ? 'error' : 'drop';
      return { outcome, rows: [{ uid, verdict, reason: `caption: ${reason}` }] };
    }
    const captioned = withCaption(sample, text, { ...prompt, model: config.model }, outcome);
    return { outcome, sample: captioned, rows: [{ uid, verdict: 'keep', reason: 'captioned' }] };
  } catch (error) {
    if (!(error instanceof OneVisionError) || error.code !== 'data') throw error;
    return { rows: [{ uid, verdict: 'error', reason: error.message }] };
  }
}

/** The caption becomes the answer; what was there before stays in `meta.originalCaption`. */
function withCaption(
  sample: Sample,
  text: string,
  { language, user, model }: { language: string; user: string; model: string },
  { attempt }: CaptionOutcome,
): Sample {
  return {
    ...sample,
    messages: [
      { role: 'user', content: '<image>' },
      { role: 'assistant', content: text.replaceAll('<image>', ' ') },
    ],
    meta: {
      ...sample.meta,
      originalCaption: repliesOf(sample).join('\n'),
      captioner: { model, language, prompt: user, attempt },
    },
  };
}

async function* writeResults(
  results: AsyncIterable<Captioned>,
  writer: { write(sample: Sample): Promise<void> },
  counts: ReturnType<typeof counter>,
  configHash: string,
): AsyncGenerator<LedgerRow, void, undefined> {
  for await (const { sample, rows, outcome } of results) {
    if (sample !== undefined) await writer.write(sample);
    counts.add('promptTokens', outcome?.promptTokens ?? 0);
    counts.add('completionTokens', outcome?.completionTokens ?? 0);
    for (const row of rows) {
      counts.add('input', 1);
      counts.add(row.verdict, 1);
      yield { ...row, stage: STAGE, configHash };
    }
  }
}

function counter(): {
  readonly values: Record<string, number>;
  add(name: string, by: number): void;
} {
  const values: Record<string, number> = {};
  const add = (name: string, by: number): void => {
    values[name] = (values[name] ?? 0) + by;
  };
  return { values, add };
}

function toManifest(
  files: readonly ShardFile[],
  counts: Readonly<Record<string, number>>,
  configHash: string,
  config: CaptionConfig,
): Manifest {
  const samples = files.reduce((sum, file) => sum + file.count, 0);
  return {
    format: 'onevision/1',
    kind: 'samples',
    stage: STAGE,
    configHash,
    counts: { samples, ...counts },
    files,
    stats: { model: config.model, languages: { ...config.languages }, seed: config.seed },
  };
}

/** What this run has sent and paid, not counting what was known. */
function spent({ figures }: Captioner, { prices }: CaptionTransport): Record<string, number> {
  const { numSent, numCached, numRetries, promptTokens, completionTokens } = figures;
  const [prompt, completion] = prices ?? [0, 0];
  const cost = (promptTokens * prompt + completionTokens * completion) / 1e6;
  return { numSent, numCached, numRetries, ...(prices === undefined ? {} : { cost }) };
}

function show(progress: Progress, captioner: Captioner, transport: CaptionTransport): void {
  const { numCached, numRetries, cost } = spent(captioner, transport);
  const parts = [
    `${captioner.figures.limit} at once`,
    `${numCached} known`,
    `${numRetries} retried`,
  ];
  if (cost !== undefined) parts.unshift(`cost ${cost.toFixed(4)}`);
  progress.increment(1, parts.join('  '));
}

function isDown(url: string, reason: string | undefined): OneVisionError {
  return new OneVisionError(
    'data',
    `Expected answers from ${url}, got none for ${MAX_ERRORS_IN_A_ROW} samples in a row; last: ${reason}.`,
    { hint: 'when the endpoint is up again run the same command: what was paid for is kept' },
  );
}
