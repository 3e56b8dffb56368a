// The nineteen sorts of questions that CharXiv asks about a chart, word for word: they are the data of the
// benchmark that its tables only number (Wang et al. 2024, princeton-nlp/CharXiv, CC BY-SA 4.0). Held to
// lmms-eval's strings by test/parity/charxiv-questions.test.ts.

type Axis = 'x' | 'y';

const NONE = "answer 'Not Applicable'.";
const NO_ANSWER = 'answer "Not Applicable".';
const NO_LINES = `If the plot does not contain any lines or is not considered a line plot, ${NO_ANSWER}`;
const NO_GRID = 'Ignore grid lines, tick marks, and any vertical or horizontal auxiliary lines.';
const OWN_LABELS =
  'Your final answer should account for only labels relevant to the plot in the legend, even if the legend is located outside the plot.';
const NO_LEGEND = `If the plot does not have a legend or no legend is not considered relevant to this plot, ${NO_ANSWER}`;
const NO_PERCENT = 'You should remove the percentage sign (if any) in your answer.';
const NO_COLORBAR = `If the plot does not have an explicit colorbar-based continuous legend or the legend is not considered relevant to this subplot, ${NO_ANSWER}`;
const NO_UNITS =
  'Ignore units or scales that are written separately from the tick, such as units and scales from the axis label or the corner of the plot.';

const shared = (axis: Axis): string =>
  `including the case when ${axis}-axis is shared across multiple subplots.`;
/** Where an axis stands twice, this one counts; `verb` differs in the original. */
const twice = (axis: Axis, verb: string): string =>
  axis === 'x'
    ? `When the x-axis is present on both the top and bottom of the plot, ${verb} the axis at the bottom.`
    : `When the y-axis is present on both the left and right of the plot, ${verb} the axis at the left.`;

function question(asked: string, ...notes: readonly string[]): string {
  return [asked, ...notes.map((note) => `    * ${note}`)].join('\n');
}

function label(axis: Axis): string {
  return question(
    `what is the label of the ${axis}-axis?`,
    `Your final answer should be the label of the ${axis}-axis that is explicitly written, ${shared(axis)} ` +
      twice(axis, `answer the label of`).replace('the axis at', `the ${axis}-axis at`),
    `If the plot does not have an explicit ${axis}-axis label, ${NONE}`,
  );
}

function tick(which: string, axis: Axis, verb: string): string {
  return question(
    `what is the ${which} labeled tick on the ${axis}-axis?`,
    `Your final answer should be the tick value on the ${axis}-axis that is explicitly written, ` +
      `${shared(axis)} ${twice(axis, verb)} ${NO_UNITS}`,
  );
}

function difference(axis: Axis): string {
  return question(
    `what is difference between consecutive numerical tick values on the ${axis}-axis?`,
    `Your final answer should be the difference between consecutive numerical tick values of the ${axis}-axis, ` +
      `${shared(axis)} ${twice(axis, 'answer based on')} ${NO_UNITS}`,
    `If the plot does not have an explicit ${axis}-axis tick value, or if the tick values are not numerical, ` +
      `or if the difference is not constant between all consecutive tick values, ${NO_ANSWER}`,
  );
}

const TITLE = question(
  'what is its title?',
  'Your final answer should be the most relevant title of the plot that is explicitly written.',
  `If the plot does not have an explicit title or contains only a letter, ${NONE}`,
);

/** In the order of their numbers, 1 to 19. The first two end with an empty line in the original. */
const QUESTIONS: readonly string[] = [
  `${TITLE}\n    `,
  `${label('x')}\n    `,
  label('y'),
  tick('leftmost', 'x', 'answer based on'),
  tick('rightmost', 'x', 'answer based on'),
  tick('spatially lowest', 'y', 'based on'),
  tick('spatially highest', 'y', 'based on'),
  difference('x'),
  difference('y'),
  question(
    'how many lines are there?',
    `Your final answer should be the number of lines in the plot. ${NO_GRID}`,
    NO_LINES,
  ),
  question(
    'do any lines intersect?',
    `Your final answer should be "Yes" if any lines intersect, and "No" otherwise. ${NO_GRID}`,
    NO_LINES,
  ),
  question('how many discrete labels are there in the legend?', `${OWN_LABELS} `, NO_LEGEND),
  question(
    'what are the names of the labels in the legend?',
    `You should write down the labels from top to bottom, then from left to right and separate the labels with commas. ${OWN_LABELS}`,
    NO_LEGEND,
  ),
  question(
    'what is the difference between the maximum and minimum values of the tick labels on the continuous legend (i.e., colorbar)?',
    NO_PERCENT,
    NO_COLORBAR,
  ),
  question(
    'what is the maximum value of the tick labels on the continuous legend (i.e., colorbar)?',
    `${NO_PERCENT} `,
    NO_COLORBAR,
  ),
  question(
    'what is the general trend of data from left to right?',
    'Your final answer should be within a few words, such as "increases", "increases then stabilizes".',
  ),
  question(
    'What is the total number of explicitly labeled ticks across all axes?',
    'Your final answer should be the total number of explicitly labeled ticks across all axes, including the case when any axis is shared across multiple subplots.',
  ),
  question(
    'What is the layout of the subplots?',
    'Your final answer should follow "n by m" format, where n is the number of rows and m is the number of columns.',
    'If the plot does not contain subplots, answer "1 by 1".',
  ),
  question(
    'What is the number of subplots?',
    'Your final answer should be the total number of subplots in the plot.',
    'If the plot does not contain subplots, answer "1".',
  ),
];

/** Where a question looks; row 0 stands for a figure of one plot. */
export interface Subplot {
  readonly row: number;
  readonly column: number;
  /** Words for the place, where plots form no grid. */
  readonly place: string | undefined;
}

/** A question by its number, 1 to 19. The last two are about the whole figure. */
export function charxivQuestion(sort: number, { row, column, place }: Subplot): string {
  const asked = QUESTIONS[sort - 1] ?? '';
  if (sort >= 18) return asked;
  const where =
    place !== undefined && place !== ''
      ? place
      : row === 0
        ? 'the current plot'
        : `the subplot at row ${row} and column ${column}`;
  return `For ${where}, ${asked}`;
}
