import { createInterface } from 'node:readline/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { KeyValueCache } from '../chapter04/index.ts';
import { chatToIds, type LoadedModel, type Message } from '../models/index.ts';
import { type AnswerOptions, answerSteps } from './09-chat.ts';

/** Answers and conversations on the terminal, token by token as they come. */

/** The tokens that have been read or written so far, and what the model has kept of them. */
class Memory {
  readonly cache = new KeyValueCache();
  #ids: number[] = [];

  /** Makes ready for a text: of what is kept, all that the text does not begin with is forgotten. */
  readAnew(ids: readonly number[]): void {
    let same = 0;
    while (same < this.cache.length && this.#ids[same] === ids[same]) same++;
    this.cache.truncate(Math.min(same, ids.length - 1)); // the last token is read again, for what comes after it
    this.#ids = [...ids];
  }

  add(id: number): void {
    this.#ids.push(id);
  }
}

/** Where a conversation is read from and written to. */
export interface Streams {
  input: NodeJS.ReadableStream;
  output: NodeJS.WritableStream;
}

/**
 * A conversation as ids that leave room for an answer, a quarter of what the model sees at most: the oldest turns, a
 * question with its answer each, are forgotten until that is so.
 *
 * @returns the messages that are left, and how many were forgotten
 */
export function fitting(
  loaded: Pick<LoadedModel, 'model' | 'tokeniser' | 'chatTemplate'>,
  messages: readonly Message[],
  maxNewTokens = 256,
): { ids: number[]; kept: Message[]; forgotten: number } {
  const { contextLength } = loaded.model.config;
  const most = contextLength - Math.min(maxNewTokens, Math.floor(contextLength / 4));
  const kept = [...messages];
  let ids = chatToIds(loaded, kept);
  while (ids.length > most && kept.length > 1) {
    kept.splice(0, 2);
    ids = chatToIds(loaded, kept);
  }
  return { ids, kept, forgotten: messages.length - kept.length };
}

/** Writes an answer as it comes, and returns it with how long it took. `stopped` is asked after each token. */
async function stream(
  loaded: LoadedModel,
  ids: readonly number[],
  options: AnswerOptions,
  {
    memory,
    output,
    stopped = () => false,
  }: { memory: Memory; output: NodeJS.WritableStream; stopped?: () => boolean },
): Promise<{ answer: string; tokens: number; seconds: number }> {
  memory.readAnew(ids);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const start = performance.now();
  let answer = '';
  let tokens = 0;
  const show = (text: string) => {
    answer += text;
    output.write(text);
  };
  for (const id of answerSteps(loaded, ids, options, memory.cache)) {
    tokens++;
    memory.add(id);
    show(decoder.decode(loaded.tokeniser.bytes([id]), { stream: true }));
    await nextTurn(); // Ctrl-C is seen between two tokens
    if (stopped()) break;
  }
  show(`${decoder.decode()}\n`);
  return { answer: answer.trimEnd(), tokens, seconds: (performance.now() - start) / 1000 };
}

/** One question, one answer: the answer goes to stdout, and how fast it came to stderr. */
export async function answerOnce(
  loaded: LoadedModel,
  question: string,
  options: AnswerOptions,
): Promise<void> {
  const ids = chatToIds(loaded, [{ role: 'user', content: question }]);
  const where = { memory: new Memory(), output: process.stdout };
  const { tokens, seconds } = await stream(loaded, ids, options, where);
  console.error(`(${rate(tokens, seconds)})`);
}

/** Ctrl-C at a prompt, as `node` takes it: it clears the line; on an empty one the first says so, and the second ends. */
export class Interrupts {
  private isSecond = false;

  /** @param line what stands at the prompt */
  press(line: string): 'clear' | 'warn' | 'end' {
    if (line !== '') return this.forget('clear');
    if (this.isSecond) return 'end';
    this.isSecond = true;
    return 'warn';
  }

  /** Something else was done: the next Ctrl-C is a first one again. */
  forget<Answer>(answer: Answer): Answer {
    this.isSecond = false;
    return answer;
  }
}

/**
 * A conversation: each line is a message. Ctrl-C stops an answer; where none is being written it does what it does in
 * `node`. `/reset` begins anew. A conversation that has become longer than the model sees goes on without its oldest turns.
 */
export async function converse(
  loaded: LoadedModel,
  options: AnswerOptions,
  { input, output }: Streams = { input: process.stdin, output: process.stdout },
): Promise<void> {
  const terminal = createInterface({ input, output, terminal: (input as NodeJS.ReadStream).isTTY });
  const memory = new Memory();
  const interrupts = new Interrupts();
  const say = (line: string) => void output.write(`${line}\n`);
  let messages: Message[] = [];
  let answering = false;
  let stop = false;
  // What was piped in may have ended while the model still answers one of the lines before.
  let ended = false;
  terminal.once('close', () => {
    ended = true;
  });
  terminal.on('SIGINT', () => {
    if (answering) {
      stop = true;
      return;
    }
    const what = interrupts.press(terminal.line);
    if (what === 'end') return terminal.close();
    say('');
    if (what === 'warn') say('(Ctrl-C again, or Ctrl-D, ends the conversation.)');
    for (const name of ['e', 'u']) terminal.write(null, { ctrl: true, name }); // to the end, and all of it away
    terminal.prompt();
  });
  say('Type a message. Ctrl-C stops an answer, /reset begins anew, Ctrl-D ends.');
  terminal.setPrompt('> ');
  terminal.prompt();
  for await (const line of terminal) {
    interrupts.forget(undefined);
    if (line.trim() === '/reset') messages = [];
    else if (line.trim() !== '') {
      const { ids, kept, forgotten } = fitting(
        loaded,
        [...messages, { role: 'user', content: line }],
        options.maxNewTokens,
      );
      const { contextLength } = loaded.model.config;
      if (ids.length >= contextLength) {
        say(
          `(This message has ${ids.length} tokens, and the model sees at most ${contextLength}: shorten it.)`,
        );
      } else {
        if (forgotten > 0) {
          say(
            `(The model sees at most ${contextLength} tokens: the oldest ${forgotten} messages are forgotten.)`,
          );
        }
        [answering, stop] = [true, false];
        const where = { memory, output, stopped: () => stop };
        const { answer, tokens, seconds } = await stream(loaded, ids, options, where);
        answering = false;
        messages = [...kept, { role: 'assistant', content: answer }];
        const isFull = ids.length + tokens >= contextLength;
        say(
          `(${rate(tokens, seconds)}${stop ? ', stopped' : isFull ? ', cut off: the context is full' : ''})`,
        );
      }
    }
    if (!ended) terminal.prompt();
  }
}

const rate = (tokens: number, seconds: number) =>
  `${tokens} ${tokens === 1 ? 'token' : 'tokens'}, ${(tokens / seconds).toFixed(1)} a second`;
