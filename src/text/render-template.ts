// Rendering a chat template by Jinja, and what system prompt it brings. Not ids (jinja-template.ts).

import { Template } from '@huggingface/jinja';
import { OneVisionError } from '../core/errors.ts';
import { IM_END, IM_START } from './special-tokens.ts';

/** The text that a template makes of messages. @throws OneVisionError 'data' where it fails. */
export function renderTemplate(
  source: string,
  messages: readonly object[],
  addGenerationPrompt: boolean,
): string {
  try {
    const template = new Template(source);
    return template.render({ messages, add_generation_prompt: addGenerationPrompt });
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new OneVisionError('data', `expected a chat template that renders, came: ${what}`, {
      cause: error,
      hint: "the template is chat_template.jinja, or chat_template in the tokenizer's configuration",
    });
  }
}

/** The system prompt that a template gives to conversations without one; '' if none. */
export function defaultSystemOf(source: string): string {
  const text = renderTemplate(source, [{ role: 'user', content: 'x' }], false);
  const head = `${IM_START}system\n`;
  return text.startsWith(head) ? text.slice(head.length, text.indexOf(IM_END)) : '';
}
