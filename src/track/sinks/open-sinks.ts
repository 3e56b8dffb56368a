// The sinks of a run by their names, in its folder.

import { basename, join } from 'node:path';
import type { MetricSink, SinkName } from './sink.ts';
import { openTensorboard } from './tensorboard.ts';
import { openWandb } from './wandb.ts';

/** `<run>/tensorboard/` for `tensorboard --logdir`, `<run>/wandb/` for `wandb sync`. */
export function openSinks(names: readonly SinkName[], dir: string): MetricSink[] {
  return names.map((name) => {
    const folder = join(dir, name);
    if (name === 'tensorboard') return openTensorboard(folder);
    return openWandb(folder, { project: 'onevision', name: basename(dir) });
  });
}
