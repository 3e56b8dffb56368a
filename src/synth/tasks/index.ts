// All tasks, with their settings and defaults.
export { CAPTION_DEFAULTS, type CaptionSettings, caption } from './caption.ts';
export { CHOICE_DEFAULTS, type ChoiceSettings, choice } from './choice.ts';
export { COLOUR_DEFAULTS, type ColourSettings, colour } from './colour.ts';
export { COUNTING_DEFAULTS, type CountingSettings, counting } from './counting.ts';
export { GRID_DEFAULTS, type GridSettings, grid } from './grid.ts';
export { NUMBERS_DEFAULTS, type NumbersSettings, numbers } from './numbers.ts';
export { position } from './position.ts';
export { RELATION_DEFAULTS, type RelationSettings, relation } from './relation.ts';
export { YES_NO_DEFAULTS, type YesNoSettings, yesNo } from './yes-no.ts';
