// Steps that are refused before a weight changes, as errors that name the samples. What is done about
// them: ../refusals.ts.

import { OneVisionError } from '../../core/errors.ts';

/** A step that is refused before a weight changes, with the samples it came from. */
export class RefusedStep extends OneVisionError {
  readonly uids: readonly string[];
  /** Why, in short. */
  readonly reason: string;

  constructor(reason: string, message: string, uids: readonly string[]) {
    super('numerics', `${message} from ${nameSamples(uids)}`, {
      hint: 'lower the learning rate, or look at these samples: the weights are still good',
    });
    this.uids = uids;
    this.reason = reason;
  }
}

/** A loss or a gradient that is not finite. */
export class NumericsError extends RefusedStep {
  constructor(loss: number, gradNorm: number, uids: readonly string[]) {
    const came = `loss ${loss} and gradient norm ${gradNorm}`;
    super('loss not finite', `expected a finite loss and gradient, came ${came}`, uids);
  }
}

/** A loss or a gradient far above those before, with the samples of highest loss. */
export class SpikeError extends RefusedStep {
  constructor(reason: string, uids: readonly string[]) {
    super(reason, `expected a step like those before, came ${reason}`, uids);
  }
}

/** A few of them, and how many there are. */
export function nameSamples(uids: readonly string[]): string {
  const shown = uids.slice(0, 8).join(', ');
  return uids.length > 8 ? `${uids.length} samples: ${shown}, …` : `samples ${shown}`;
}
