import { OPTIONS as appendixD } from '../../chapters/appendixD/options.ts';
import { OPTIONS as appendixE } from '../../chapters/appendixE/run.ts';
import { OPTIONS as chapter04 } from '../../chapters/chapter04/run.ts';
import { OPTIONS as chapter05 } from '../../chapters/chapter05/run.ts';
import { OPTIONS as chapter06 } from '../../chapters/chapter06/run.ts';
import { OPTIONS as chapter07 } from '../../chapters/chapter07/options.ts';
import { CLASSIFY } from '../../chapters/commands/adapter/classify.ts';
import { HANDOVER } from '../../chapters/commands/adapter/handover.ts';
import { INSPECT } from '../../chapters/commands/adapter/inspect.ts';
import { MERGE } from '../../chapters/commands/adapter/merge.ts';
import { OPTIONS as compare } from '../../chapters/commands/compare/run.ts';
import { OPTIONS as data } from '../../chapters/commands/data.ts';
import { OPTIONS as evaluate } from '../../chapters/commands/evaluate/run.ts';
import { OPTIONS as generate } from '../../chapters/commands/generate.ts';
import { OPTIONS as pretrain } from '../../chapters/commands/pretrain/run.ts';
import { COMMON_OPTIONS, type OptionSpecs } from '../../chapters/common/options.ts';
import { OPTIONS as gemma } from '../../chapters/gemma/run.ts';
import { OPTIONS as llama } from '../../chapters/llama/run.ts';
import { BENCHMARKS } from '../bench/run.ts';
import { OPTIONS as figures } from '../figures/run.ts';

const { backend, threads } = COMMON_OPTIONS;
const withCommon = (tables: Record<string, OptionSpecs>, common: OptionSpecs) =>
  Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, { ...table, ...common }]));

/** What each command can be told. */
export const COMMANDS: Record<string, OptionSpecs> = {
  ...withCommon(
    { chapter04, chapter05, chapter06, chapter07, appendixD, appendixE, llama, gemma, pretrain },
    COMMON_OPTIONS,
  ),
  ...{ compare, data, evaluate, figures, generate },
  ...withCommon(
    {
      ...{ classify: CLASSIFY.options, merge: MERGE.options },
      ...{ handover: HANDOVER.options, inspect: INSPECT.options },
    },
    { backend, threads },
  ),
  ...Object.fromEntries(Object.entries(BENCHMARKS).map(([name, { options }]) => [`bench ${name}`, options])),
};
