import {
  F,
  manualSeed,
  memoryUse,
  nn,
  optim,
  randint,
  useBackend,
  yieldToRuntime,
} from 'llms-from-scratch-ts';

/** LoRA fine-tuning of a transformer in the shape of `mini`, as somebody writes it who has installed the package. */

const WIDTH = 128;
const TOKENS = 64;
const BATCH = 4;
const VOCABULARY = 50257;

class Block extends nn.Module {
  constructor() {
    super();
    this.norm1 = new nn.LayerNorm(WIDTH);
    this.query = new nn.Linear(WIDTH, WIDTH);
    this.key = new nn.Linear(WIDTH, WIDTH);
    this.value = new nn.Linear(WIDTH, WIDTH);
    this.norm2 = new nn.LayerNorm(WIDTH);
    this.up = new nn.Linear(WIDTH, 4 * WIDTH);
    this.down = new nn.Linear(4 * WIDTH, WIDTH);
  }

  forward(x) {
    const h = this.norm1.forward(x); // [b, t, d]
    const scores = this.query.forward(h).matmul(this.key.forward(h).transpose(1, 2)); // [b, t, t]
    const weights = scores.div(Math.sqrt(WIDTH)).softmax(-1);
    const attended = x.add(weights.matmul(this.value.forward(h)));
    return attended.add(this.down.forward(F.gelu(this.up.forward(this.norm2.forward(attended)))));
  }
}

class Classifier extends nn.Module {
  constructor() {
    super();
    this.embedding = new nn.Embedding(VOCABULARY, WIDTH);
    this.blocks = new nn.Sequential(new Block(), new Block(), new Block(), new Block());
    this.head = new nn.Linear(WIDTH, 2);
  }

  forward(ids) {
    return this.head.forward(this.blocks.forward(this.embedding.forward(ids)).select(1, -1)); // [b, 2]
  }
}

/** Trains so many steps and tells the losses, the engine, and its memory after each step, in MiB. */
export async function train(steps, options) {
  const engine = await useBackend('wasm', options);
  manualSeed(123);
  const model = new Classifier();
  model.requiresGrad_(false);
  nn.replaceLinearWithLoRA(model, { rank: 16, alpha: 16 });
  const trainable = [...model.parameters()].filter((parameter) => parameter.requiresGrad);
  const optimizer = new optim.AdamW(trainable, { lr: 1e-3 });
  const ids = randint(0, VOCABULARY, [BATCH, TOKENS]);
  const labels = randint(0, 2, [BATCH]);
  const losses = [];
  const memory = [];
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model.forward(ids), labels);
    loss.backward();
    optimizer.step();
    losses.push(loss.item());
    await yieldToRuntime();
    memory.push(memoryUse().reserved / 2 ** 20);
  }
  return { engine: engine.name, threads: engine.threads, losses, memory };
}
