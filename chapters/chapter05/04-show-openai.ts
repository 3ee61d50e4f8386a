import { manualSeed, type Tensor } from '../../lib/index.ts';
import type { Notebook } from '../common/notebook.ts';
import { repr } from '../common/python.ts';
import { START } from './01-show-losses.ts';
import {
  generate,
  type ModelName,
  modelConfig,
  obtainModel,
  textToTokenIds,
  tokenIdsToText,
} from './index.ts';

/** The sizes of the model, under OpenAI's names for them. */
export function showSettings(nb: Notebook, name: ModelName): void {
  const { vocabSize, contextLength, embDim, nHeads, nLayers } = modelConfig(name);
  const settings = {
    n_vocab: vocabSize,
    n_ctx: contextLength,
    n_embd: embDim,
    n_head: nHeads,
    n_layer: nLayers,
  };
  const pairs = Object.entries(settings).map(([key, value]) => `${repr(key)}: ${value}`);
  nb.print(134, `Settings: {${pairs.join(', ')}}`);
}

/** The model with OpenAI's weights: a corner of its token embedding, and what it makes of a beginning. */
export async function showOpenAIModel(nb: Notebook, name: ModelName, weights: string): Promise<void> {
  const model = (await obtainModel({ model: name, weights, print: (line) => nb.note(line) })).eval();
  const { weight } = model.tokEmb;
  nb.print(136, corners(weight));
  nb.print(136, `Token embedding weight tensor dimensions: (${weight.shape.join(', ')})`);

  manualSeed(123);
  const ids = generate(model, textToTokenIds(START), {
    maxNewTokens: 25,
    contextSize: model.config.contextLength,
    topK: 50,
    temperature: 1.5,
  });
  nb.print(145, `Output text:\n ${tokenIdsToText(ids)}`);
}

/** The first and last three rows and columns of a matrix, as NumPy prints them: up to eight decimals. */
function corners(matrix: Tensor): string {
  const [rows, columns] = matrix.shape;
  const shown = (length: number) => [0, 1, 2, length - 3, length - 2, length - 1];
  const lines = shown(rows).map((row) => {
    const values = matrix.select(0, row).toFlatArray() as number[];
    const numbers = shown(columns).map((column) => String(Number(values[column].toFixed(8))));
    return `[${numbers.slice(0, 3).join(' ')} ... ${numbers.slice(3).join(' ')}]`;
  });
  return `[${lines.slice(0, 3).join('\n ')}\n ...\n ${lines.slice(3).join('\n ')}]`;
}
