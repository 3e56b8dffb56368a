// The end of a dry run: carries the script that would have been submitted up to the command line.

/** Thrown in place of submitting. Not a failure. */
export class DryRun extends Error {
  readonly script: string;

  constructor(script: string) {
    super('dry run: nothing was submitted');
    this.name = 'DryRun';
    this.script = script;
  }
}
