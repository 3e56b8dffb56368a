// Every benchmark there is: the 27 of the paper's table in its order, their local proxies, the
// packaged sets, the demo's.
import { OneVisionError } from '../../core/errors.ts';
import type { Benchmark } from '../benchmark.ts';
import { DEMO_BENCHMARKS } from './demo/index.ts';
import { cvBench } from './general/cv-bench.ts';
import { mmbenchCn, mmbenchCnDev } from './general/mmbench-cn.ts';
import { mmbenchEn, mmbenchEnDev } from './general/mmbench-en.ts';
import { mmeRealworldCn } from './general/mme-realworld-cn.ts';
import { mmeRealworldEn } from './general/mme-realworld-en.ts';
import { mmstar } from './general/mmstar.ts';
import { realWorldQa } from './general/real-world-qa.ts';
import { scienceQa } from './general/science-qa.ts';
import { seed2Plus } from './general/seed-2-plus.ts';
import { seedImage } from './general/seed-image.ts';
import { ai2dMask, ai2dNoMask } from './ocr-chart/ai2d.ts';
import { chartQa } from './ocr-chart/chart-qa.ts';
import { charxiv } from './ocr-chart/charxiv.ts';
import { docVqa, docVqaVal, infoVqa, infoVqaVal } from './ocr-chart/doc-vqa.ts';
import { ocrBench } from './ocr-chart/ocr-bench.ts';
import { countBench } from './other/count-bench.ts';
import { pixmoCount } from './other/pixmo-count.ts';
import { vStar } from './other/v-star.ts';
import { vlRewardBench } from './other/vl-reward-bench.ts';
import { PACKAGED_BENCHMARKS } from './packaged/index.ts';
import { mathVision } from './reasoning/math-vision.ts';
import { mathVista } from './reasoning/math-vista.ts';
import { mmmu, mmmuProStandard } from './reasoning/mmmu.ts';
import { mmmuProVision } from './reasoning/mmmu-pro-vision.ts';
import { weMath } from './reasoning/we-math.ts';

/** The rows of the paper's table. */
export const PAPER_BENCHMARKS: readonly Benchmark[] = [
  mmstar,
  mmbenchEn,
  mmbenchCn,
  mmeRealworldEn,
  mmeRealworldCn,
  seedImage,
  cvBench,
  scienceQa,
  seed2Plus,
  realWorldQa,
  mathVista,
  weMath,
  mathVision,
  mmmu,
  mmmuProStandard,
  mmmuProVision,
  chartQa,
  charxiv,
  docVqa,
  ocrBench,
  ai2dMask,
  ai2dNoMask,
  infoVqa,
  pixmoCount,
  countBench,
  vlRewardBench,
  vStar,
];

/** Splits with public answers, beside those whose answers only a server has. */
export const PROXY_BENCHMARKS: readonly Benchmark[] = [
  mmbenchEnDev,
  mmbenchCnDev,
  docVqaVal,
  infoVqaVal,
];

export const ALL_BENCHMARKS: readonly Benchmark[] = [
  ...PAPER_BENCHMARKS,
  ...PROXY_BENCHMARKS,
  ...PACKAGED_BENCHMARKS,
  ...DEMO_BENCHMARKS,
];

/**
 * Benchmarks by their names; `all` stands for the rows of the paper's table, the name of a group of it
 * for its rows, and `packaged` for the project's own sets.
 * @throws OneVisionError 'usage' for an unknown name
 */
export function findBenchmarks(names: readonly string[]): Benchmark[] {
  return names.flatMap((name) => {
    const found =
      name === 'all'
        ? PAPER_BENCHMARKS
        : ALL_BENCHMARKS.filter((benchmark) => [benchmark.name, benchmark.suite].includes(name));
    if (found.length > 0) return found;
    const known = ALL_BENCHMARKS.map((benchmark) => benchmark.name).join(', ');
    throw new OneVisionError('usage', `No benchmark is called ${name}.`, {
      hint: `known: all, packaged, ${known}`,
    });
  });
}
