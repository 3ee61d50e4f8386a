/** `npm run generate`: a model goes on with a text, token by token. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { io, manualSeed, tensor, UserError, useBackend } from '../../lib/index.ts';
import { generateSteps, MODEL_NAMES, obtainTextModel, type TextModel } from '../chapter05/index.ts';
import { formatInput, formatResponse } from '../chapter07/index.ts';
import { isProgram } from '../common/cli.ts';
import { parseOptions, runMain } from '../common/command-line.ts';
import { COMMON_OPTIONS, countingWith, inGroup, UsageError } from '../common/options.ts';
import { checkPaths } from '../common/paths.ts';
import { openTerminal } from '../common/terminal.ts';
import type { FileTokeniser } from '../llama/index.ts';
import { chatToIds } from '../models/index.ts';
import { baseSource } from './adapter/base-model.ts';

const { backend, threads } = COMMON_OPTIONS;

export const OPTIONS = {
  ...inGroup('Model', {
    model: {
      type: 'choice',
      help: "which model (default: the adapter's base, else mini); newer ones are on the hub, under their own licences (chapters/models/README.md)",
      choices: MODEL_NAMES,
    },
    weights: {
      type: 'path',
      access: 'read',
      help: 'where its weights are; or a GGUF file or a folder of the hub, of any family that can be read',
      placeholder: 'PATH',
    },
    adapter: {
      type: 'path',
      access: 'read',
      help: "a LoRA adapter of a language model, in PEFT's format",
      placeholder: 'DIR',
    },
  }),
  ...inGroup('Answers', {
    prompt: { type: 'string', help: 'the beginning of the text', placeholder: 'TEXT' },
    instruction: {
      type: 'string',
      help: "in place of it: an instruction, in the form that chapter 7's models were trained on",
      placeholder: 'TEXT',
    },
    chat: {
      type: 'boolean',
      help: 'the prompt is a message: the model answers it, in the form that its own template gives it',
      counts: [{ prompt: 'given' }],
    },
    maxNewTokens: { type: 'number', help: 'most tokens to add', default: 100, min: 1, integer: true },
    temperature: {
      type: 'number',
      help: '0 takes the most likely token, above it draws: the higher, the more evenly',
      default: 0,
      min: 0,
    },
    ...countingWith([{ temperature: { above: 0 } }], {
      topK: { type: 'number', help: 'draw only among this many tokens', min: 1, integer: true },
      topP: {
        type: 'number',
        help: 'draw among the most likely tokens that together have this probability',
        above: 0,
        max: 1,
      },
      seed: { type: 'number', help: 'of what is drawn', default: 123, min: 0, integer: true },
    }),
  }),
  backend,
  threads,
} as const;

/**
 * The text to go on with, in parts that are cut into tokens apart from each other, as chapter 7's prompts and answers are.
 * @throws UserError if there is none
 */
function promptOf({ prompt, instruction }: { prompt?: string; instruction?: string }): string[] {
  if (prompt !== undefined) return [prompt];
  if (instruction !== undefined)
    return [formatInput({ instruction, input: '' }), formatResponse({ output: '' })];
  throw new UserError('what is the text to begin with? Give --prompt "Once upon a time"');
}

/** A message as the model was trained to answer it. @throws UserError if the model has no template for messages */
function idsOfMessage({ chatTemplate, tokeniser }: TextModel, content: string): number[] {
  return chatToIds({ chatTemplate, tokeniser: tokeniser as FileTokeniser }, [{ role: 'user', content }]);
}

if (isProgram(import.meta.url)) {
  await runMain(async () => {
    const options = parseOptions({
      command: 'npm run generate --',
      summary: 'Continues a text and writes each token as it comes. Keys and values are kept.',
      options: OPTIONS,
      examples: [
        'npm run generate -- --prompt "Once upon a time"',
        'npm run generate -- --prompt "Once upon a time" --temperature 1 --top-k 20',
        'npm run generate -- --weights gemma-3-270m.gguf --prompt "Every effort moves you"',
        'npm run generate -- --model smollm2-135m --chat --prompt "What is the capital of France?"',
      ],
    });
    const { weights, adapter, topK, topP, temperature } = options;
    if (options.prompt !== undefined && options.instruction !== undefined)
      throw new UsageError('--prompt and --instruction contradict each other: leave one of them out');
    const parts = promptOf(options);
    await checkPaths(OPTIONS, options);
    openTerminal();
    await useBackend(options.backend, { threads: options.threads });
    const source =
      adapter === undefined
        ? { model: options.model ?? 'mini', weights }
        : baseSource(adapter, io.readAdapterConfig(adapter), options);
    const loaded = await obtainTextModel({ ...source, print: console.error });
    const { tokeniser, endIds } = loaded;
    const model = loaded.model.eval();
    if (adapter !== undefined) io.loadAdapter(adapter, model);
    if (model.outHead.outFeatures !== model.config.vocabSize)
      throw new UserError(
        `${adapter} is a classifier's: ask it with npm run adapter -- classify --adapter ${adapter}`,
      );

    const written = parts.flatMap((part) => tokeniser.encode(part));
    if (written.length === 0) throw new UserError('the prompt is empty: give at least one word');
    const begun = options.chat ? idsOfMessage(loaded, parts[0]) : [...tokeniser.startIds, ...written];
    manualSeed(options.seed);
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const start = performance.now();
    let tokens = 0;
    if (options.prompt !== undefined && !options.chat) process.stdout.write(options.prompt);
    const ids = tensor([begun], { dtype: 'int32' }); // [1, t]
    const steps = generateSteps(model, ids, {
      ...{
        maxNewTokens: options.maxNewTokens,
        contextSize: model.config.contextLength,
        eosId: endIds,
      },
      ...{ temperature, topK, topP, cache: true },
    });
    for (const next of steps) {
      tokens++;
      // A character may be cut into several tokens: its bytes are kept until it is whole.
      process.stdout.write(decoder.decode(tokeniser.bytes([next.item()]), { stream: true }));
      await nextTurn(); // between two tokens output is written and Ctrl-C is noticed
    }
    process.stdout.write(`${decoder.decode()}\n`);
    const seconds = (performance.now() - start) / 1000;
    console.error(`(${tokens} tokens, ${(tokens / seconds).toFixed(1)} a second)`);
  });
}
