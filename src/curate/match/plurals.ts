// What an English word may be the plural or genitive of. Guesses: only forms in the list count.

const IRREGULAR: ReadonlyMap<string, string> = new Map(
  Object.entries({
    children: 'child',
    feet: 'foot',
    geese: 'goose',
    hands: 'hand',
    mice: 'mouse',
    oxen: 'ox',
    people: 'person',
    teeth: 'tooth',
  }),
);

/** The word itself first: `glasses` is a thing of its own. Then what it may be the plural of. */
export function singulars(word: string): string[] {
  const bare = word.replace(/'s?$/, '');
  const forms = bare === word ? [word] : [word, bare];
  const irregular = IRREGULAR.get(bare);
  if (irregular !== undefined) forms.unshift(irregular);
  if (bare.endsWith('men')) forms.push(`${bare.slice(0, -2)}an`);
  if (bare.endsWith('ies')) forms.push(`${bare.slice(0, -3)}y`);
  if (bare.endsWith('ves')) forms.push(`${bare.slice(0, -3)}f`, `${bare.slice(0, -3)}fe`);
  if (bare.endsWith('s') && !bare.endsWith('ss')) forms.push(bare.slice(0, -1));
  if (bare.endsWith('es')) forms.push(bare.slice(0, -2));
  return forms;
}
