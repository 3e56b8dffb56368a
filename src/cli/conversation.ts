// A conversation with a loaded model: keeps the turns, writes the answer while it is made.
import { loadCheckpoint } from '../model/checkpoint.ts';
import { generate } from '../model/generate.ts';
import { preparePrompt } from '../model/processor.ts';
import type { ChatMessage } from '../text/chat-template.ts';

/** An open conversation; `using` frees the model. */
export interface Chat {
  /**
   * Asks and answers; both turns are remembered. `onText` gets the answer as it grows.
   * @throws OneVisionError 'data' for a picture that cannot be read
   */
  ask(question: string, onText?: (text: string) => void): Promise<string>;
  [Symbol.dispose](): void;
}

/**
 * Opens a checkpoint for a conversation about some pictures, which come with the first question.
 * @throws OneVisionError 'checkpoint' when the folder is not a model
 */
export function openChat(
  checkpoint: string,
  images: readonly Uint8Array[],
  maxNewTokens: number,
): Chat {
  const { model, processor } = loadCheckpoint(checkpoint);
  const turns: ChatMessage[] = [];
  return {
    async ask(question, onText) {
      const pictures = turns.length === 0 ? '<image>'.repeat(images.length) : '';
      turns.push({ role: 'user', content: pictures + question.replaceAll('<image>', '') });
      const prompt = await preparePrompt(processor, { messages: turns, images });
      const ids: number[] = [];
      let written = '';
      const onToken = (_prompt: number, id: number): void => {
        ids.push(id);
        const text = processor.tokenizer.decode(ids, { skipSpecialTokens: true });
        if (text.endsWith('\uFFFD')) return; // half of a character: wait for the rest
        onText?.(text.slice(written.length));
        written = text;
      };
      const [completion] = generate(model, [prompt], { maxNewTokens, onToken });
      const answer = processor.tokenizer.decode(completion?.ids ?? [], { skipSpecialTokens: true });
      onText?.(answer.slice(written.length));
      turns.push({ role: 'assistant', content: answer });
      return answer;
    },
    [Symbol.dispose]: () => model[Symbol.dispose](),
  };
}
