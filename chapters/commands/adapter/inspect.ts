import { nn } from '../../../lib/index.ts';
import { measureChanges, showWhatChanged } from '../../appendixE/index.ts';
import { countParameters } from '../../chapter04/index.ts';
import { EXAMPLES, TRAINED_ON_STAND_IN } from '../../chapter06/index.ts';
import { formatTable } from '../../common/table.ts';
import { ADAPTER_OPTIONS, loadAnyWithAdapter } from './base-model.ts';
import { defineCommand } from './program.ts';

/** `npm run adapter -- inspect`: what an adapter is, and how much it changes. */
export const INSPECT = defineCommand({
  summary:
    'Shows what an adapter is: its base, rank, layers and size, how much it changes each of them, in which directions,\n' +
    'and what that does to the attention on one message. Everything is printed as a table, and drawn as SVG.',
  options: {
    ...ADAPTER_OPTIONS,
    message: {
      type: 'string',
      help: 'the message whose attention is looked at',
      default: EXAMPLES.spam,
      placeholder: 'TEXT',
    },
    out: {
      type: 'path',
      access: 'writeFolder',
      help: 'folder for the pictures',
      default: 'runs/inspect',
      placeholder: 'DIR',
    },
  },
  async run(options) {
    const { model, name, folder, config, settings } = await loadAnyWithAdapter(options);
    const layers = Array.from(model.namedModules(), ([, module]) => module).filter(
      (module) => module instanceof nn.LinearWithLoRA,
    );
    const numbers = layers.reduce((sum, { lora }) => sum + lora.A.size + lora.B.size, 0);
    const scaling = config.rankStabilised ? 'alpha / √r' : 'alpha / r';
    console.log(`${folder}: LoRA for ${config.base} (here ${name})`);
    console.log(
      `rank ${config.rank}, alpha ${config.alpha}, scaled by ${scaling}, dropout ${config.dropout}`,
    );
    console.log(
      `${layers.length} Linears, ${numbers.toLocaleString('en')} numbers beside ` +
        `${(countParameters(model) - numbers).toLocaleString('en')} of the base`,
    );
    if (settings)
      console.log(`classes: ${settings.labels.join(', ')}; messages of ${settings.maxLength} tokens`);
    if (settings?.synthetic) console.log(TRAINED_ON_STAND_IN);
    const rows = measureChanges(model).map(({ path, rank, change, weight }) => {
      return [path, `${rank}`, change.toFixed(3), weight.toFixed(2), percentOf(change / weight)];
    });
    console.log(`\n${formatTable(['layer', 'rank', '‖ΔW‖', '‖W‖', '‖ΔW‖/‖W‖'], rows)}`);
    await showWhatChanged(console.log, model, options.out, options.message);
  },
});

function percentOf(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
