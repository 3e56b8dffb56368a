// The nineteen sorts of questions that CharXiv asks about a chart, in our words: the wording of the
// original is not copied here, so scores differ a little from those made with it.

const NONE = "If there is none, answer 'Not Applicable'.";

const QUESTIONS: readonly string[] = [
  `what is its title? Give the whole title as it is written, without the letter of a subplot. ${NONE}`,
  `what is the label of the x-axis? If subplots share an axis, take the nearest label. ${NONE}`,
  `what is the label of the y-axis? If subplots share an axis, take the nearest label. ${NONE}`,
  `what is the leftmost labeled tick on the x-axis? Ignore units and scale factors set apart. ${NONE}`,
  `what is the rightmost labeled tick on the x-axis? Ignore units and scale factors set apart. ${NONE}`,
  `what is the spatially lowest labeled tick on the y-axis? Ignore units and scale factors set apart. ${NONE}`,
  `what is the spatially highest labeled tick on the y-axis? Ignore units and scale factors set apart. ${NONE}`,
  "what is the difference between consecutive numerical ticks on the x-axis? If it is not constant or there are no such ticks, answer 'Not Applicable'.",
  "what is the difference between consecutive numerical ticks on the y-axis? If it is not constant or there are no such ticks, answer 'Not Applicable'.",
  `how many lines are there? Count lines of data, not grid lines, ticks or borders. ${NONE}`,
  "do any lines intersect? Answer 'Yes' or 'No'; if there are fewer than two lines, answer 'Not Applicable'.",
  `how many discrete labels are there in the legend? Count those that concern this plot. ${NONE}`,
  `what are the names of the labels in the legend? Write them from top to bottom, then left to right, separated by commas. ${NONE}`,
  `what is the difference between the maximum and minimum tick labels of the continuous legend (colorbar)? ${NONE}`,
  `what is the maximum tick label of the continuous legend (colorbar)? ${NONE}`,
  "what is the general trend of the data from left to right? Answer in a few words; if it is not a line plot or has no one trend, answer 'Not Applicable'.",
  `what is the total number of explicitly labeled ticks across all axes? ${NONE}`,
  'What is the layout of the subplots? Answer as "n by m", rows first.',
  'What is the number of subplots? A plot alone counts as one.',
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
  const question = QUESTIONS[sort - 1] ?? '';
  if (sort >= 18) return question;
  const where =
    place !== undefined && place !== ''
      ? place
      : row === 0
        ? 'the current plot'
        : `the subplot at row ${row} and column ${column}`;
  return `For ${where}, ${question}`;
}
