import { nn } from '../../lib/index.ts';
import { countParameters } from '../chapter04/index.ts';
import { formatTable } from '../common/table.ts';
import { ADAPTER_OPTIONS, loadWithAdapter } from './base-model.ts';
import { defineCommand } from './program.ts';

/** `npm run adapter -- inspect`: what an adapter is, and how much it changes. */
export const INSPECT = defineCommand({
  summary: 'Shows what an adapter is: its base, rank, layers and size, and how much it changes each of them.',
  options: ADAPTER_OPTIONS,
  async run(options) {
    const { model, name, folder, config, settings } = await loadWithAdapter(options);
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
    const rows = [...model.namedModules()].flatMap(([path, module]) => {
      if (!(module instanceof nn.LinearWithLoRA) || !module.active) return [];
      const { rank } = module.active;
      const change = module.active.delta().norm().item();
      const weight = module.weight.norm().item();
      return [
        [path, `${rank}`, change.toFixed(3), weight.toFixed(2), `${((100 * change) / weight).toFixed(2)}%`],
      ];
    });
    console.log(`\n${formatTable(['layer', 'rank', '‖ΔW‖', '‖W‖', '‖ΔW‖/‖W‖'], rows)}`);
  },
});
