// A conversation with a loaded model: keeps the turns, writes the answer while it is made.
import { type LoadOptions, loadCheckpoint } from '../model/checkpoint.ts';
import { type GenerateTextOptions, generateText, type TextCompletion } from '../model/generate.ts';
import { preparePrompt } from '../model/processor.ts';
import type { ChatMessage } from '../text/chat-template.ts';
import { IMAGE_MARK, VIDEO_MARK } from '../text/special-tokens.ts';

/** What a conversation is about and how it is answered. */
export interface ChatSettings {
  /** Encoded pictures. They come with the first question, before its text unless it holds marks. */
  readonly images: readonly Uint8Array[];
  /** Encoded frames of each video; likewise. */
  readonly videos?: readonly (readonly Uint8Array[])[];
  /** Default: the tokenizer's own. */
  readonly system?: string | undefined;
  readonly load?: LoadOptions;
  readonly generate: GenerateTextOptions;
}

/** An open conversation; `using` frees the model. */
export interface Chat {
  /**
   * Asks and answers; both turns are remembered. `onText` gets the answer as it grows.
   * @throws OneVisionError 'data' for a picture that cannot be read, or for more or fewer marks than
   * pictures
   */
  ask(question: string, onText?: (text: string) => void): Promise<TextCompletion>;
  [Symbol.dispose](): void;
}

/**
 * Opens a checkpoint for a conversation about some pictures.
 * @throws OneVisionError 'checkpoint' when the folder is not a model
 */
export function openChat(checkpoint: string, settings: ChatSettings): Chat {
  const { model, processor } = loadCheckpoint(checkpoint, settings.load);
  const { images, videos = [], system } = settings;
  const turns: ChatMessage[] = system === undefined ? [] : [{ role: 'system', content: system }];
  let isFirst = true;
  return {
    async ask(question, onText) {
      const content = isFirst ? withMarks(question, images.length, videos.length) : question;
      const messages: ChatMessage[] = [...turns, { role: 'user', content }];
      const prompt = await preparePrompt(processor, { messages, images, videos });
      const [completion] = generateText(model, processor.tokenizer, [prompt], {
        ...settings.generate,
        onText: (_prompt, text) => onText?.(text),
      });
      if (completion === undefined) throw new RangeError('expected one completion for one prompt');
      isFirst = false;
      turns.splice(0, turns.length, ...messages, { role: 'assistant', content: completion.text });
      return completion;
    },
    [Symbol.dispose]: () => model[Symbol.dispose](),
  };
}

/** Pictures and videos before the text, unless the text says itself where they stand. */
function withMarks(question: string, numImages: number, numVideos: number): string {
  const images = question.includes(IMAGE_MARK) ? '' : IMAGE_MARK.repeat(numImages);
  const videos = question.includes(VIDEO_MARK) ? '' : VIDEO_MARK.repeat(numVideos);
  return images + videos + question;
}
