// An OpenAI-compatible endpoint on this machine that answers the small copies as their plans want it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { sha256Hex } from '../../../src/core/hash.ts';
import { startLoopback, stopLoopback } from '../loopback.ts';
import type { ReplyPlan } from './write.ts';

export interface PlanServer {
  readonly url: string;
  /** Requests that were answered, by picture and text. */
  readonly answered: Map<string, number>;
  /** Called before each answer; what it returns is waited for. True: the answer was given by it. */
  before: (response: ServerResponse, number: number) => Promise<boolean> | boolean;
  [Symbol.asyncDispose](): Promise<void>;
}

interface Body {
  readonly max_tokens: number;
  readonly messages: readonly {
    readonly content:
      | string
      | readonly { readonly text?: string; readonly image_url?: { url: string } }[];
  }[];
}

/** Starts the server on a free port. */
export async function startPlanServer(plans: ReadonlyMap<string, ReplyPlan>): Promise<PlanServer> {
  const answered = new Map<string, number>();
  let number = 0;
  const server: Server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const { text, key } = read(JSON.parse(Buffer.concat(chunks).toString()));
      if (text.startsWith('You grade ')) return judge(response, text);
      if (EXTRACTION.test(text)) return say(response, 'none');
      if (await handle.before(response, number++)) return;
      const plan = plans.get(key) ?? [...plans].find(([words]) => text.includes(words))?.[1];
      answered.set(`${key} ${text}`, (answered.get(`${key} ${text}`) ?? 0) + 1);
      respond(response, plan, text);
    });
  });
  const handle: PlanServer = {
    url: `${await startLoopback(server)}/v1`,
    answered,
    before: () => false,
    [Symbol.asyncDispose]: () => stopLoopback(server),
  };
  return handle;
}

function read({ messages }: Body): { text: string; key: string } {
  const content = messages.at(-1)?.content ?? '';
  const parts = typeof content === 'string' ? [{ text: content }] : content;
  const text = parts.map((part) => part.text ?? '').join('');
  const image = parts.find((part) => 'image_url' in part);
  const url = image !== undefined && 'image_url' in image ? (image.image_url?.url ?? '') : '';
  const bytes = Buffer.from(url.split(',')[1] ?? '', 'base64');
  return { text, key: sha256Hex(bytes) };
}

/** Prompts of judges that only read an answer out of a reply. */
const EXTRACTION = /^(?:Read the model response|Which option does the answer mean|The text below)/;

/** Judges by containment; a call with a wrong title gets no verdict. */
function judge(response: ServerResponse, text: string): void {
  const verdicts: Record<string, string | number> = {};
  let isOdd = false;
  for (const [, n, question, reply = '', truth = ''] of text.matchAll(
    /Question (\d): (.*)\nResponse \d: (.*)\nGround truth \d: (.*)\n/g,
  )) {
    const isRight = reply.includes(truth);
    isOdd ||= question?.includes('title') === true && !isRight;
    verdicts[`extract_answer_T${n}`] = reply;
    verdicts[`score_T${n}`] = isRight ? 1 : 0;
  }
  say(response, isOdd ? 'no idea' : JSON.stringify(verdicts));
}

function say(response: ServerResponse, content: string): void {
  const choices = [{ message: { role: 'assistant', content }, finish_reason: 'stop' }];
  response.writeHead(200).end(JSON.stringify({ choices }));
}

function respond(response: ServerResponse, plan: ReplyPlan | undefined, text: string): void {
  if (plan === undefined || plan.wanted === 'model-error') {
    response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"not this one"}');
    return;
  }
  const finish =
    { truncated: 'length', refused: 'content_filter' }[plan.wanted as string] ?? 'stop';
  const content = plan.wanted === 'truncated' ? 'Let us think about' : plan.reply(text);
  const body = {
    choices: [{ message: { role: 'assistant', content }, finish_reason: finish }],
    usage: { prompt_tokens: 100, completion_tokens: 3 },
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
