// Where a reply states its final answer: tagged, boxed, behind "the answer is", or all of a short one.
import { answerPart, lastBoxed } from '../reply-parts.ts';

const STATED = /answer(?:\s+(?:is|should\s+be|would\s+be)|\s?[*_]{0,3}:)|答案(?:是|为|為|[:：])/giu;
const LONGEST_WHOLE = 60;

/** The stated answer as it was written; undefined where a long reply states none. */
export function finalAnswer(reply: string): string | undefined {
  const { text, tagged } = answerPart(reply);
  const body = text.trim();
  const boxed = lastBoxed(body);
  if (boxed !== undefined) return nonEmpty(boxed);
  const stated = [...body.matchAll(STATED)].at(-1);
  if (stated !== undefined) {
    const tail = body.slice(stated.index + stated[0].length).replace(/^[\s*_:]+/, '');
    return nonEmpty(tail.split(/\n|[.。](?=\s|$)/u)[0] ?? '');
  }
  return body.length <= LONGEST_WHOLE || tagged ? nonEmpty(body) : undefined;
}

function nonEmpty(text: string): string | undefined {
  const plain = text.trim().replace(/[.。]$/u, '');
  return plain === '' ? undefined : plain;
}
