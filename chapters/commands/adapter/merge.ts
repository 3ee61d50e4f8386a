import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { io, nn, UserError } from '../../../lib/index.ts';
import { toOpenAI } from '../../chapter05/index.ts';
import { isGpt, type LanguageModel, tensorsForHub } from '../../models/index.ts';
import { ADAPTER_OPTIONS, loadAnyWithAdapter } from './base-model.ts';
import { hubConfig, newerHubConfig, withTiedHead } from './hub-config.ts';
import { defineCommand } from './program.ts';

/** `npm run adapter -- merge`: W + AB as one matrix, in every layer, in a file that other programs load. */
export const MERGE = defineCommand({
  summary:
    'Writes the base model with the adapter in its weights, as a safetensors file in the layout of the\n' +
    'Hugging Face hub, and config.json beside it: transformers loads the folder.',
  options: {
    ...ADAPTER_OPTIONS,
    out: {
      type: 'path',
      access: 'writeFile',
      ending: '.safetensors',
      help: 'the file to write',
      placeholder: 'FILE',
    },
    dtype: { type: 'choice', help: 'how numbers are stored', choices: ['F32', 'F16'], default: 'F32' },
  },
  async run(options) {
    const { out } = options;
    if (out === undefined) throw new UserError('say where to write: --out model.safetensors');
    await io.holdFolder(dirname(out)); // two models side by side would have one config.json
    requirePlaceFor(out);
    const loaded = await loadAnyWithAdapter(options);
    const { model, settings } = loaded;
    mergeIntoLinears(model);
    const config =
      'tokeniser' in loaded
        ? newerHubConfig(loaded.model, { ...loaded, ...settings })
        : hubConfig(loaded.model, settings?.labels);
    const weights = isGpt(model) ? toOpenAI(model) : withTiedHead(tensorsForHub(model), config);
    await io.saveTensors(out, weights, {
      dtype: options.dtype,
      metadata: { format: 'pt' },
      beside: { 'config.json': `${JSON.stringify(config, null, 2)}\n` },
    });
    const beside = join(dirname(out), 'config.json');
    console.log(`${Object.keys(weights).length} tensors written to ${out}, sizes of the model to ${beside}`);
    if (!isGpt(model))
      console.log(
        "(The tokeniser is the base model's: put its tokenizer.json and tokenizer_config.json beside them.)",
      );
    else if (settings)
      console.log(
        `(The answer is at the last of ${settings.maxLength} tokens: fill messages up with token ` +
          `${settings.padTokenId}, and leave the model's pad_token_id unset.)`,
      );
    if ('score.bias' in weights)
      console.log('(score.bias is written too; the classifier of transformers has none and leaves it out.)');
  },
});

/**
 * A config.json is of one model: the one that is being replaced, or else of none yet.
 * @throws UserError if it is another's
 */
function requirePlaceFor(out: string): void {
  const config = join(dirname(out), 'config.json');
  if (existsSync(out) || !existsSync(config)) return;
  throw new UserError(`${config} belongs to another model: give --out a folder of its own`);
}

/** Puts a plain Linear with W + ΔW in the place of every wrapped one. */
export function mergeIntoLinears(model: LanguageModel): void {
  for (const [, parent] of [...model.namedModules()]) {
    for (const [name, child] of [...parent.namedChildren()]) {
      if (child instanceof nn.LinearWithLoRA) parent.replaceChild(name, child.toLinear());
    }
  }
}
