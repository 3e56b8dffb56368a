// The part of a reply that answers: behind its thinking, in its answer tags, in its last box.
// Each in one pass, so that no reply takes longer than its length.

/** What stands behind `</think>`, or in the last `<answer>…</answer>`. */
export function answerPart(reply: string): { text: string; tagged: boolean } {
  const lower = reply.toLowerCase();
  const close = lower.lastIndexOf('</answer>');
  const open = close < 0 ? -1 : lower.lastIndexOf('<answer>', close);
  if (open >= 0) return { text: reply.slice(open + '<answer>'.length, close), tagged: true };
  const thought = lower.lastIndexOf('</think>');
  return { text: thought < 0 ? reply : reply.slice(thought + '</think>'.length), tagged: false };
}

/** The inside of the last `\boxed{…}` whose braces close. */
export function lastBoxed(text: string, opening: RegExp = /\\boxed\s?$/): string | undefined {
  const open: { start: number; isBox: boolean }[] = [];
  let best: { start: number; end: number } | undefined;
  for (let place = 0; place < text.length; place++) {
    if (text[place] === '{') {
      const isBox = opening.test(text.slice(Math.max(0, place - 7), place));
      open.push({ start: place + 1, isBox });
    } else if (text[place] === '}') {
      const group = open.pop();
      if (group?.isBox === true && group.start > (best?.start ?? -1)) {
        best = { start: group.start, end: place };
      }
    }
  }
  return best === undefined ? undefined : text.slice(best.start, best.end);
}
