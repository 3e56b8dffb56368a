// Relaxed accuracy of ChartQA: numbers within five per cent, other answers equal ignoring case.
import { float } from '../python.ts';

const TOLERANCE = 0.05;

/** As lmms-eval has it: no trimming, `1,000` and `$5` are no numbers, a gold of 0 is compared as text. */
export function relaxedMatch(prediction: string, answer: string): boolean {
  const reply = percentFloat(prediction);
  const gold = percentFloat(answer);
  if (reply === undefined || gold === undefined || gold === 0) {
    return prediction.toLowerCase() === answer.toLowerCase();
  }
  return Math.abs(reply - gold) / Math.abs(gold) <= TOLERANCE;
}

function percentFloat(text: string): number | undefined {
  if (!text.endsWith('%')) return float(text);
  const value = float(text.replace(/%+$/, ''));
  return value === undefined ? undefined : value / 100;
}

/**
 * Ours: both sides trimmed, without a closing full stop, thousands commas, currency signs; 0 equals
 * 0.0; "5 %" may answer a gold "5" and "0.05" a gold "5%". A whole number from 1900 to 2100 is
 * a year and must be equal: five per cent of 2020 is a century.
 */
export function strictRelaxedMatch(prediction: string, answer: string): boolean {
  const reply = plain(prediction);
  const gold = plain(answer);
  if (reply === gold) return true;
  const golds = readings(gold);
  if (golds.length === 0) return false;
  if (/^(?:19\d\d|20\d\d|2100)$/.test(gold)) return readings(reply).includes(Number(gold));
  return readings(reply).some((value) => golds.some((target) => isNear(value, target)));
}

function isNear(value: number, target: number): boolean {
  return target === 0 ? value === 0 : Math.abs(value - target) / Math.abs(target) <= TOLERANCE;
}

/** What a number may mean: a percentage is itself and its hundredth. */
function readings(text: string): number[] {
  const percent = /%$/.test(text);
  const bare = text.replace(/\s*%$/, '').replace(/^[$€£¥]\s*/, '');
  const plainNumber = bare.replace(/(?<=^-?\d{1,3}(?:,\d{3})*),(?=\d{3}(?:\D|$))/g, '');
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(plainNumber)) return [];
  const value = Number(plainNumber);
  return percent ? [value, value / 100] : [value];
}

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .trim()
    .toLowerCase()
    .replace(/\s+/g, ' ')
    .replace(/(?<=\S)\.$/, '');
}
