// From a picture to a valid caption: the sender's answers, checked; one that is no caption is asked for
// again with another seed.
import { type Answer, type AnswerCache, requestKey } from '../../endpoint/answers.ts';
import { type Question, RequestFailure } from '../../endpoint/chat.ts';
import { createSender, type Endpoint, type SenderFigures } from '../../endpoint/sender.ts';
import type { Prompt } from './prompts.ts';

export interface CaptionerOptions {
  readonly endpoint: Endpoint;
  readonly cache: AnswerCache;
  readonly maxTokens: number;
  readonly temperature: number;
  /** Tries of a question whose answers are no captions. */
  readonly maxAttempts: number;
  /** Why an answer is no caption. */
  check(answer: Answer, language: string): string | undefined;
}

export interface CaptionRequest {
  readonly prompt: Prompt;
  /** Names the content of the picture as it is sent. */
  readonly imageHash: string;
  /** The picture as a `data:` address; called only when a request is really sent. */
  load(): Promise<string>;
}

/** What came of a request. Tokens are those of all answers that it used, cached or new. */
export interface CaptionOutcome {
  readonly text?: string;
  /** Why there is no text: the last answer's fault, or the endpoint's. */
  readonly reason?: string;
  /** Whether the endpoint gave no answer at all. */
  readonly isError: boolean;
  readonly attempt: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface Captioner {
  readonly figures: SenderFigures;
  /** @throws OneVisionError when the endpoint refuses everything (key, model, address). */
  caption(request: CaptionRequest): Promise<CaptionOutcome>;
}

export function createCaptioner(options: CaptionerOptions): Captioner {
  const { maxTokens, temperature, maxAttempts } = options;
  const { model } = options.endpoint;
  const { figures, obtain } = createSender(options.endpoint, options.cache);
  const caption = async ({ prompt, imageHash, load }: CaptionRequest): Promise<CaptionOutcome> => {
    const { system, user, language } = prompt;
    const used = { promptTokens: 0, completionTokens: 0 };
    let reason = '';
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const key = requestKey(model, maxTokens, temperature, system, user, imageHash, attempt);
      const question = async (): Promise<Question> => ({
        messages: messagesOf(prompt, await load()),
        maxTokens,
        temperature,
        seed: attempt,
      });
      try {
        const answer = await obtain(key, question);
        used.promptTokens += answer.promptTokens;
        used.completionTokens += answer.completionTokens;
        const fault = options.check(answer, language);
        if (fault === undefined) {
          return { text: answer.text.trim(), isError: false, attempt, ...used };
        }
        reason = fault;
      } catch (error) {
        if (!(error instanceof RequestFailure)) throw error;
        return { reason: error.message, isError: true, attempt, ...used };
      }
    }
    return { reason, isError: false, attempt: maxAttempts - 1, ...used };
  };
  return { figures, caption };
}

function messagesOf({ system, user }: Prompt, image: string): Question['messages'] {
  return [
    { role: 'system', content: system },
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: image } },
        { type: 'text', text: user },
      ],
    },
  ];
}
