// How a model is cut over ranks: which parameters travel together, which stay in memory. The model is
// the one of a single device.

import { OneVisionError } from '../../core/errors.ts';
import type { OneVision } from '../../model/onevision.ts';
import { isMuonMatrix } from '../../nn/optim/muon.ts';
import { FlatUnit } from '../../parallel/flat-unit.ts';
import type { ProcessGroup } from '../../parallel/process-group.ts';
import { Shards } from '../../parallel/shards.ts';
import type { Tensor } from '../../tensor/index.ts';
import type { TrainConfig } from '../config.ts';
import type { Sharding } from '../learner.ts';
import { partOf } from '../optimizer.ts';

/** Ranks that share a state, and those that hold the same part of it in other such groups. */
export interface ShardGroups {
  readonly world: ProcessGroup;
  readonly group: ProcessGroup;
  readonly replicas: ProcessGroup | undefined;
}

/**
 * The groups of a run. Every rank is in one group of `shardRanks` neighbours.
 * @throws OneVisionError 'recipe' where the ranks do not divide, or a setting is for one process.
 */
export function openShardGroups(world: ProcessGroup, config: TrainConfig): ShardGroups {
  const { precision, offload, shardRanks = world.size } = config;
  if (precision === 'bfloat16-stochastic' || offload) {
    throw refuse(
      `precision bfloat16 or float32 without offload on ${world.size} ranks`,
      `${precision}${offload ? ' with offload' : ''}`,
    );
  }
  if (world.size % shardRanks !== 0) {
    throw refuse(`shardRanks to divide the ${world.size} ranks`, String(shardRanks));
  }
  if (shardRanks === world.size) return { world, group: world, replicas: undefined };
  const ranks = Array.from({ length: world.size }, (_, rank) => rank);
  const node = Math.floor(world.rank / shardRanks);
  const seat = world.rank % shardRanks;
  const neighbours = ranks.slice(node * shardRanks, (node + 1) * shardRanks);
  const peers = ranks.filter((rank) => rank % shardRanks === seat);
  return {
    world,
    group: world.sub(`shards ${neighbours.at(0)}-${neighbours.at(-1)}`, neighbours),
    replicas: world.sub(`replicas ${seat} of ${shardRanks}`, peers),
  };
}

function refuse(expected: string, came: string): OneVisionError {
  return new OneVisionError('recipe', `expected ${expected}, came ${came}`, {
    hint: 'change `train` in the recipe, or start without --launch',
  });
}

/** Cuts a learner's state over the ranks of `groups`. */
export function shardingOf(groups: ShardGroups, config: TrainConfig): Sharding {
  return (model, trained, exact) => {
    const parts = partsOf(model, trained, config.sharding === 'full');
    const units = (members: Part): FlatUnit[] => makeUnits(members, { groups, config, exact });
    const { world, group } = groups;
    return new Shards(
      {
        blocks: parts.blocks.map(units),
        head: units(parts.head),
        rest: parts.rest.flatMap(units),
      },
      world,
      group,
    );
  };
}

interface Parameter {
  readonly name: string;
  readonly tensor: Tensor;
  readonly isTrained: boolean;
  readonly isResident: boolean;
}

interface Part {
  readonly label: string;
  readonly parameters: readonly Parameter[];
}

/**
 * Blocks of the decoder, the head, and the rest. With full sharding the decoder is freed between uses,
 * also where it is frozen; tower, merger and adapters stay, so that a rank without images may leave
 * them out.
 */
function partsOf(
  model: OneVision,
  trained: ReadonlyMap<string, Tensor>,
  isFull: boolean,
): { readonly blocks: readonly Part[]; readonly head: Part; readonly rest: readonly Part[] } {
  const own = model.namedParameters();
  const all = [...new Map([...own, ...trained])].map(([name, tensor]): Parameter => {
    const isFreed = isFull && own.has(name) && partOf(name) === 'language';
    return { name, tensor, isTrained: trained.has(name), isResident: !isFreed };
  });
  const cut = all.filter(({ isTrained, isResident }) => isTrained || !isResident);
  const byPlace = Map.groupBy(cut, ({ name }) => placeOf(name, model));
  const part = (label: string): Part => ({ label, parameters: byPlace.get(label) ?? [] });
  const numBlocks = model.config.text.numLayers;
  return {
    blocks: Array.from({ length: numBlocks }, (_, i) => part(`block ${i}`)),
    head: part('head'),
    rest: ['language', 'merger', 'vision'].map(part),
  };
}

function placeOf(name: string, model: OneVision): string {
  const block = /^model\.layers\.(\d+)\./.exec(name)?.[1];
  if (block !== undefined) return `block ${block}`;
  const isHead = name === 'lm_head.weight' || name === 'model.norm.weight';
  return isHead && !model.config.text.tieEmbeddings ? 'head' : partOf(name);
}

/** A unit for each kind: trained or not, staying or not, cut anywhere or whole for Muon. */
function makeUnits(
  { label, parameters }: Part,
  options: {
    readonly groups: ShardGroups;
    readonly config: TrainConfig;
    readonly exact: ReadonlyMap<string, Tensor> | undefined;
  },
): FlatUnit[] {
  const { groups, config, exact } = options;
  const isWhole = ({ name, tensor, isTrained }: Parameter): boolean =>
    isTrained && config.optimizer.name === 'muon' && isMuonMatrix(name, tensor);
  const kinds = Map.groupBy(parameters, (parameter) =>
    [parameter.isTrained, parameter.isResident, isWhole(parameter), parameter.tensor.dtype].join(),
  );
  return [...kinds.values()].flatMap((members) => {
    const [first] = members;
    if (first === undefined) return [];
    const { isTrained, isResident } = first;
    const tensors = new Map(members.map(({ name, tensor }) => [name, tensor]));
    const { group, replicas } = groups;
    const cut = isWhole(first) ? 'whole' : 'elements';
    return [new FlatUnit(label, tensors, { group, replicas, cut, isResident, isTrained, exact })];
  });
}
