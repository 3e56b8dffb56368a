// The answers of the packaged sets, found again by other means: charts from the raw tables, flags by ISO
// codes, borders from coordinates, boxes and counts from pixels.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { decodeImage } from '../../src/image/decode.ts';
import type { RgbImage } from '../../src/image/pixels.ts';
import { packageFolder } from '../../src/sample/corpus/packages.ts';
import type { Sample } from '../../src/sample/sample.ts';
import { readSamples } from '../../src/sample/webdataset.ts';
import { chartAt } from '../../src/synth/packaged/chart/chart.ts';
import { type ChartTable, openTables } from '../../src/synth/packaged/chart/table.ts';
import { distinctCountries, pairAt } from '../../src/synth/packaged/flag/flag.ts';
import { makePackagedSet, PACKAGED_SETS, packagedFolder } from '../../src/synth/packaged/index.ts';
import { mapAt } from '../../src/synth/packaged/map/map.ts';
import { readStates, readWorld } from '../../src/synth/packaged/map/places.ts';
import { boxIn } from '../../src/synth/packaged/map/view.ts';
import { countBlobs } from '../../src/synth/testing.ts';
import { packageCaches, temporaryFolder } from '../support/packaged/caches.ts';
import { ALIKE_FLAGS } from '../support/packaged/packages.ts';

const root = temporaryFolder();
after(() => rmSync(root, { recursive: true, force: true }));

for (const cache of packageCaches(root)) {
  const options = { skip: cache.skip };
  const data = join(root, cache.name);
  const samplesOf = async (name: string, count: number): Promise<Sample[]> => {
    const set = PACKAGED_SETS.find((one) => one.name === name) ?? assert.fail(name);
    await makePackagedSet(set, { data, count });
    return await Array.fromAsync(readSamples(packagedFolder(data, name)));
  };

  test(
    `${cache.name}: charts show the raw tables, and questions are answered from them`,
    options,
    () => {
      cache.use();
      const sources = openTables();
      const kinds = new Set<string>();
      for (let index = 0; index < 60; index++) {
        const { table, questions } = chartAt(sources, index);
        if (index % 4 === 0) checkAgainstGapminder(table);
        if (index % 4 === 1) checkAgainstIowa(table);
        for (const { kind, text, answers } of questions) {
          kinds.add(kind);
          assert.deepEqual(answers, [answerByHand(table, text)], `${table.title}: ${text}`);
        }
      }
      assert.equal(kinds.size, 5);
    },
  );

  test(
    `${cache.name}: a flag belongs to the country that its ISO code names`,
    options,
    async () => {
      cache.use();
      const names = new Intl.DisplayNames(['en'], { type: 'region' });
      const countries = await distinctCountries();
      const plain = (text: string): string =>
        text.normalize('NFD').replace(/\p{M}/gu, '').replace('St.', 'Saint').replace('&', 'and');
      const named = countries.filter((country) =>
        country.names.some((name) => plain(name) === plain(names.of(country.code) ?? '')),
      );
      assert.ok(named.length >= 0.9 * countries.length, `${named.length} of ${countries.length}`);
      const codes = countries.map(({ code }) => code);
      assert.ok(!ALIKE_FLAGS.some((code) => codes.includes(code)), 'flags alike are left out');
      const samples = await samplesOf('flag-mini', 8);
      for (const [place, { meta, messages, group }] of samples.entries()) {
        const [left, right] = pairAt(countries, Math.floor(place / 4));
        assert.equal(group, `flag-mini:${Math.floor(place / 4)}`);
        const larger = left.area > right.area ? 'left' : 'right';
        const kind = (meta['columns'] as { kind: string }).kind;
        const wanted = {
          name: left.names[0],
          capital: left.capitals[0],
          region: left.region,
          larger,
        };
        assert.equal(messages.at(-1)?.content, wanted[kind as keyof typeof wanted]);
      }
    },
  );

  test(
    `${cache.name}: places touch where they share two corners; the red one is red`,
    options,
    async () => {
      cache.use();
      const atlases = [readWorld(), readStates()];
      const samples = await samplesOf('map-mini', 36);
      const touches: boolean[] = [];
      for (let index = 0; index < 12; index++) {
        const { red, blue, touch, view } = mapAt(atlases, index);
        const corners = new Set(red.region.rings.flat().map(String));
        const shared = new Set(blue.region.rings.flat().map(String)).intersection(corners).size;
        assert.equal(shared >= 2, touch, `${red.names[0]} and ${blue.names[0]} share ${shared}`);
        touches.push(touch);
        const [name, capital, border] = samples.slice(3 * index);
        assert.deepEqual(name?.meta['answers'], red.names);
        assert.deepEqual(capital?.meta['answers'], red.capitals);
        assert.equal(border?.meta['answer'], touch ? 'yes' : 'no');
        const image = await decodeImage(name?.images[0]?.bytes ?? new Uint8Array());
        const seen = boundsWhere(image, ([r, g, b]) => r > 190 && g < 80 && b < 80);
        const box = boxIn(view, red.region) ?? assert.fail('the red place is seen');
        box.forEach((edge, side) => {
          assert.ok(Math.abs(edge - (seen[side] ?? 0)) <= 8, `${red.names[0]}: ${box} and ${seen}`);
        });
      }
      assert.ok(touches.includes(true) && touches.includes(false));
    },
  );

  test(`${cache.name}: a box holds the thing and its four sides touch it`, options, async () => {
    cache.use();
    for (const { images, meta } of (await samplesOf('ground-mini', 16)).slice(0, 8)) {
      const image = await decodeImage(images[0]?.bytes ?? new Uint8Array());
      const box: number[] = JSON.parse(String(meta['answer']));
      const [left = 0, top = 0, right = 0, bottom = 0] = box.map((part, side) =>
        Math.round((part / 1000) * (side % 2 === 0 ? image.width : image.height)),
      );
      const within = cropped(image, [left - 6, top - 6, right + 6, bottom + 6]);
      const paper = [0, 1, 2].map((c) => image.data[c] ?? 0);
      const seen = boundsWhere(within, (rgb) =>
        rgb.some((value, c) => Math.abs(value - (paper[c] ?? 0)) > 40),
      );
      const wanted = [6, 6, within.width - 6, within.height - 6];
      seen.forEach((edge, side) => {
        assert.ok(Math.abs(edge - (wanted[side] ?? 0)) <= 2, `${box}: ${seen}, wanted ${wanted}`);
      });
    }
  });

  test(
    `${cache.name}: receipts add up, lines carry ink, captions are labels`,
    options,
    async () => {
      cache.use();
      for (const { meta, images } of await samplesOf('ocr-mini', 12)) {
        assert.ok(String(meta['answer']).length >= 5);
        const image = await decodeImage(images[0]?.bytes ?? new Uint8Array());
        const [left, , right] = boundsWhere(image, ([r, g, b]) => r + g + b < 400);
        assert.ok(right - left > 30, 'there is writing');
      }
      const file = join(packageFolder('emojibase-data'), 'en', 'data.json');
      const emoji: { label: string; hexcode: string }[] = JSON.parse(readFileSync(file, 'utf8'));
      for (const { meta, group } of await samplesOf('caption-mini', 10)) {
        const key = group.replace('emoji:', '');
        const entry = emoji.find(
          ({ hexcode }) => hexcode.toLowerCase().replaceAll('-fe0f', '') === key,
        );
        assert.equal(meta['answer'], entry?.label);
      }
      if (cache.name === 'packages') return;
      for (const { meta, images } of await samplesOf('count-mini', 12)) {
        const image = await decodeImage(images[0]?.bytes ?? new Uint8Array());
        assert.equal(
          String(countBlobs(image, 60)),
          meta['answer'],
          'as many discs as are asked for',
        );
      }
    },
  );
}

/** Reads the question anew and answers it by looking at every value. */
function answerByHand({ categories, series, measure }: ChartTable, text: string): string {
  const question = text.split('\n')[0] ?? '';
  const named = [...question.matchAll(/\(([^()]+)\)/g)].map(([, name]) => name);
  const { values } = series.find(({ name }) => named.includes(name)) ?? series[0] ?? assert.fail();
  const valueIn = (name: string | undefined): number =>
    values[categories.indexOf(name ?? '')] ?? assert.fail(`${name} in ${question}`);
  const plain = question.replaceAll(measure, 'it');
  const difference = /^What is the difference between .*? in ([^()]+) and in (.+)\?$/.exec(plain);
  if (difference !== null) {
    const [, one, other] = difference;
    return String(Number(Math.abs(valueIn(one) - valueIn(other)).toFixed(6)));
  }
  const higher = /^Is .*? in ([^()]+) higher than in (.+)\?$/.exec(plain);
  if (higher !== null) return valueIn(higher[1]) > valueIn(higher[2]) ? 'yes' : 'no';
  const many = /^In how many .* above (-?[\d.]+)\?$/.exec(question);
  if (many !== null) return String(values.filter((value) => value > Number(many[1])).length);
  const across = /^Which .* has the (highest|lowest) it in (.+)\?$/.exec(plain);
  if (across !== null) {
    const place = categories.indexOf(across[2] ?? '');
    return extreme(
      series.map((one): [string, number] => [one.name, one.values[place] ?? 0]),
      across[1],
    );
  }
  const within = /^In which .* (highest|lowest)\?$/.exec(question);
  if (within !== null) {
    return extreme(
      categories.map((name, place): [string, number] => [name, values[place] ?? 0]),
      within[1],
    );
  }
  const read = /^What is the .*? in ([^()]+)\?$/.exec(plain);
  return String(valueIn(read?.[1]));
}

function extreme(pairs: [string, number][], word: string | undefined): string {
  const sorted = pairs.toSorted(([, a], [, b]) => (word === 'highest' ? b - a : a - b));
  return sorted[0]?.[0] ?? '';
}

function checkAgainstGapminder({ title, measure, category, categories, series }: ChartTable): void {
  const file = join(packageFolder('vega-datasets'), 'data', 'gapminder.json');
  const rows: { year: number; country: string; life_expect: number; fertility: number }[] =
    JSON.parse(readFileSync(file, 'utf8'));
  for (const { name, values } of series) {
    categories.forEach((label, place) => {
      const [country, year] = category === 'country' ? [label, name] : [name, label];
      const row = rows.find((one) => one.country === country && one.year === Number(year));
      const raw = measure.startsWith('life') ? row?.life_expect : row?.fertility;
      assert.ok(Math.abs((raw ?? Number.NaN) - (values[place] ?? 0)) <= 0.0501, title);
    });
  }
}

function checkAgainstIowa({ title, categories, series }: ChartTable): void {
  const file = join(packageFolder('vega-datasets'), 'data', 'iowa-electricity.csv');
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const { name, values } of series) {
    categories.forEach((year, place) => {
      const line = lines.find((one) => one.startsWith(`${year}-01-01,${name},`)) ?? '';
      const raw = Number(line.split(',')[2]) / 1000;
      assert.ok(Math.abs(raw - (values[place] ?? 0)) <= 0.0501, title);
    });
  }
}

type Rgb = readonly [number, number, number];

/** left, top, right, bottom of the pixels that a test holds for. */
function boundsWhere(
  { width, height, data }: RgbImage,
  holds: (rgb: Rgb) => boolean,
): readonly [number, number, number, number] {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = 3 * (y * width + x);
      if (!holds([data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0])) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    }
  }
  return [left, top, right, bottom];
}

/** A part of a picture; what lies outside has the colour of its first pixel. */
function cropped(image: RgbImage, [left = 0, top = 0, right = 0, bottom = 0]: number[]): RgbImage {
  const [width, height] = [right - left, bottom - top];
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = [left + x, top + y];
      const isOutside = fromX < 0 || fromY < 0 || fromX >= image.width || fromY >= image.height;
      const from = isOutside ? 0 : 3 * (fromY * image.width + fromX);
      data.set(image.data.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return { width, height, data };
}
