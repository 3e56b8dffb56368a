// The concept list that the settings of curation name: a built one, or that of the embedded packages.
import type { ConceptConfig } from '../config.ts';
import type { ConceptList } from './concept-list.ts';
import { loadConceptFolder } from './list-file.ts';
import { buildConceptList, loadWords } from './nouns.ts';

/** @throws OneVisionError 'data' for a list that is not there, or packages that are not fetched. */
export function loadConceptList(config: ConceptConfig): ConceptList {
  if (config.list !== null) return loadConceptFolder(config.list);
  const { wordnet, use } = loadWords();
  return buildConceptList(wordnet, use, config);
}
