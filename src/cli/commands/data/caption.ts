// `onevision caption`: pictures → captions by a model behind an OpenAI-compatible endpoint.
import { Command, InvalidArgumentError } from 'commander';
import { OneVisionError } from '../../../core/errors.ts';
import { addClusterOptions, type ClusterOptions, runAsJob } from '../../cluster-options.ts';
import { parseWhole } from '../../options.ts';

interface Options extends ClusterOptions {
  readonly output: string;
  readonly endpoint: string;
  readonly model: string;
  readonly keyEnv: string;
  readonly languages?: Readonly<Record<string, number>>;
  readonly prompts?: string;
  readonly cache?: string;
  readonly concurrency: number;
  readonly timeout: number;
  readonly maxNewTokens?: number;
  readonly seed?: number;
  readonly price?: readonly [number, number];
  readonly json?: boolean;
}

export function captionCommand(): Command {
  const command = new Command('caption')
    .description('caption pictures through an OpenAI-compatible endpoint')
    .argument('<source>', 'folder or file of samples')
    .requiredOption('--output <folder>', 'where the captioned samples go')
    .requiredOption('--endpoint <url>', 'OpenAI-compatible address up to /v1')
    .requiredOption('--model <name>', 'model that the endpoint serves')
    .option('--key-env <name>', 'variable that holds the key', 'OPENAI_API_KEY')
    .option('--languages <list>', 'shares, e.g. en=65,zh=20 (the default)', parseShares)
    .option('--prompts <file>', 'JSON of prompts by language')
    .option('--cache <file>', 'answers (default: <output>.captions.sqlite)')
    .option('--concurrency <n>', 'most requests at once', parseWhole, 32)
    .option('--timeout <seconds>', 'longest wait for an answer', parseWhole, 120)
    .option('--max-new-tokens <n>', 'longest answer', parseWhole)
    .option('--seed <n>', 'of language and wording', parseWhole)
    .option('--price <in,out>', 'of a million tokens, to show the cost', parsePrice)
    .option('--json', 'print JSON');
  return addClusterOptions(command).action((source: string, options: Options) =>
    runAsJob(options, { what: 'caption', jobs: `${options.output}.jobs` }, () =>
      run(source, options),
    ),
  );
}

async function run(source: string, options: Options): Promise<void> {
  const { caption } = await import('../../../curate/caption/caption.ts');
  const { readPrompts } = await import('../../../curate/caption/prompts.ts');
  const { output, endpoint, model, languages, cache, price, maxNewTokens, seed } = options;
  if (!/^https?:\/\//.test(endpoint)) {
    throw new OneVisionError(
      'usage',
      `Expected --endpoint to be an http address, got ${endpoint}.`,
    );
  }
  const apiKey = process.env[options.keyEnv];
  const { counts } = await caption({
    input: source,
    output,
    config: { model, languages, maxTokens: maxNewTokens, seed },
    prompts: readPrompts(options.prompts),
    transport: {
      url: endpoint,
      apiKey,
      timeoutMs: options.timeout * 1000,
      maxConcurrency: options.concurrency,
      ...(price === undefined ? {} : { prices: price }),
    },
    ...(cache === undefined ? {} : { cache }),
  });
  if (options.json) console.log(JSON.stringify(counts));
  else console.log(`${counts['samples']} of ${counts['input']} samples in ${output}`);
}

function parseShares(text: string): Record<string, number> {
  const shares = text.split(',').map((part): [string, number] => {
    const [language = '', share = '1'] = part.split('=');
    if (!/^[a-z]{2,3}$/.test(language) || !(Number(share) > 0)) {
      throw new InvalidArgumentError('Expected shares like en=65,zh=20.');
    }
    return [language, Number(share)];
  });
  return Object.fromEntries(shares);
}

function parsePrice(text: string): [number, number] {
  const [prompt, completion] = text.split(',').map(Number);
  if (!((prompt ?? -1) >= 0) || !((completion ?? -1) >= 0)) {
    throw new InvalidArgumentError('Expected two prices like 0.15,0.60.');
  }
  return [prompt ?? 0, completion ?? 0];
}
