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

/** Writes an answer as it comes, and returns it with how long it took. `stopped` is asked after each token. */
async function stream(
  loaded: LoadedModel,
  messages: readonly Message[],
  options: AnswerOptions,
  memory: Memory,
  stopped: () => boolean = () => false,
): Promise<{ answer: string; tokens: number; seconds: number }> {
  const ids = chatToIds(loaded, messages);
  memory.readAnew(ids);
  const decoder = new TextDecoder();
  const start = performance.now();
  let answer = '';
  let tokens = 0;
  const show = (text: string) => {
    answer += text;
    process.stdout.write(text);
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

/** One question, one answer. */
export async function answerOnce(
  loaded: LoadedModel,
  question: string,
  options: AnswerOptions,
): Promise<void> {
  const { tokens, seconds } = await stream(
    loaded,
    [{ role: 'user', content: question }],
    options,
    new Memory(),
  );
  console.log(`(${rate(tokens, seconds)})`);
}

/**
 * A conversation: each line is a message. Ctrl-C stops an answer, or ends the conversation if none is being written;
 * `/reset` begins anew.
 */
export async function converse(loaded: LoadedModel, options: AnswerOptions): Promise<void> {
  const terminal = createInterface({
    input: process.stdin,
    output: process.stdout,
    terminal: process.stdin.isTTY,
  });
  const memory = new Memory();
  let messages: Message[] = [];
  let answering = false;
  let stop = false;
  terminal.on('SIGINT', () => {
    if (answering) stop = true;
    else terminal.close();
  });
  console.log('Type a message. Ctrl-C stops an answer, /reset begins anew, Ctrl-D ends.');
  terminal.setPrompt('> ');
  terminal.prompt();
  for await (const line of terminal) {
    if (line.trim() === '/reset') messages = [];
    else if (line.trim() !== '') {
      messages.push({ role: 'user', content: line });
      [answering, stop] = [true, false];
      const { answer, tokens, seconds } = await stream(loaded, messages, options, memory, () => stop);
      answering = false;
      messages.push({ role: 'assistant', content: answer });
      console.log(`(${rate(tokens, seconds)}${stop ? ', stopped' : ''})`);
    }
    terminal.prompt();
  }
}

const rate = (tokens: number, seconds: number) =>
  `${tokens} ${tokens === 1 ? 'token' : 'tokens'}, ${(tokens / seconds).toFixed(1)} a second`;
