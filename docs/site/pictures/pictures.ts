/** The pictures of the chapters: what they are called, what they take, and what they are first drawn with. */

/** Words, a number on a slider, one of several, or yes and no. Without a label it is set by a click in the picture. */
interface Control {
  label?: string;
  value: string | number | boolean;
  min?: number;
  max?: number;
  step?: number;
  of?: readonly string[];
}

export interface Picture {
  title: string;
  about: string;
  /** Does it need mini, which is loaded on request? */
  mini?: boolean;
  controls: Record<string, Control>;
}

export const PICTURES = {
  tokens: {
    title: 'Tokens and merges as you type',
    about:
      'Each token with its id and the number of its bytes. Below it, how the bytes of one piece become its tokens: GPT-2’s merges, in the order in which they were learnt.',
    controls: {
      text: { label: 'Text', value: 'Hello, do you like tea? Unbelievably' },
      piece: { value: -1 },
    },
  },
  attention: {
    title: 'Attention in your sentence',
    about:
      'One head of mini. Row i of each map belongs to token i: its scores with all tokens, the weights that softmax makes of them, and the mixture of values that it takes over. Point at a token or a row.',
    mini: true,
    controls: {
      text: { label: 'Sentence', value: 'The cat sat on the mat because it was tired' },
      block: { label: 'Block', value: '2', of: ['1', '2', '3', '4'] },
      head: { label: 'Head', value: '3', of: ['1', '2', '3', '4'] },
      mask: { label: 'Mask', value: true },
    },
  },
  blocks: {
    title: 'The whole, with shapes and counts',
    about:
      'What leaves each part, and how many numbers the part learns, read from a model of this size. Names lead to the code.',
    controls: {
      layers: { label: 'Blocks', value: 12, min: 1, max: 24, step: 1 },
      width: { label: 'Dimensions', value: 768, min: 64, max: 1024, step: 64 },
      heads: { label: 'Heads', value: 12, min: 1, max: 16, step: 1 },
    },
  },
  next: {
    title: 'What comes next?',
    about:
      'The likeliest next tokens by mini. The wide bar is the probability that one is drawn with; the thin one is what the model says, at temperature 1 among all tokens.',
    mini: true,
    controls: {
      text: { label: 'Text', value: 'Every effort moves' },
      temperature: { label: 'Temperature', value: 1, min: 0.1, max: 3, step: 0.1 },
      topK: { label: 'Top-k', value: 8, min: 1, max: 50, step: 1 },
    },
  },
  schedule: {
    title: 'The rate and the gradients of a training',
    about:
      'A tiny GPT learns the bytes of The Tide Clock. Each change trains it anew: the learning rate of every step, the norm of its gradients before and after clipping, and its loss.',
    controls: {
      steps: { label: 'Steps', value: 60, min: 20, max: 80, step: 10 },
      peak: { label: 'Peak rate', value: 0.01, min: 0.001, max: 0.1, step: 0.001 },
      warmup: { label: 'Warm-up share', value: 0.2, min: 0, max: 0.9, step: 0.1 },
      limit: { label: 'Clip at', value: 0.5, min: 0.1, max: 2, step: 0.1 },
    },
  },
  graph: {
    title: 'The graph of your expression',
    about:
      'Each node with its value and, after ∂, the gradient of the result. Operations: + - * / ^, exp, log, sqrt, sin, tanh, sigmoid, relu, abs.',
    controls: {
      expression: { label: 'Expression', value: '-log(sigmoid(w * x + b))' },
      values: { label: 'Values', value: 'x = 1.1, w = 2.2, b = 0' },
    },
  },
} as const satisfies Record<string, Picture>;

export type PictureName = keyof typeof PICTURES;
export type Input = Record<string, string | number | boolean>;

/** What a picture takes: for each control a value of its type. */
export type InputOf<Name extends PictureName> = {
  [K in keyof (typeof PICTURES)[Name]['controls']]: (typeof PICTURES)[Name]['controls'][K] extends {
    value: infer Value;
  }
    ? Value extends string
      ? string
      : Value extends number
        ? number
        : boolean
    : never;
};

export function defaultsOf<Name extends PictureName>(name: Name): InputOf<Name> {
  const controls: Picture['controls'] = PICTURES[name].controls;
  const pairs = Object.entries(controls).map(([key, { value }]) => [key, value]);
  return Object.fromEntries(pairs) as InputOf<Name>;
}
