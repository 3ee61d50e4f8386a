import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { converse, fitting, Interrupts } from '../../../chapters/llama/conversation.ts';
import { loadGguf } from '../../../chapters/llama/index.ts';
import { program } from '../../support/program.ts';
import { tinyGguf } from '../../support/tiny-gguf.ts';

describe('a conversation', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'conversation-'));
  const path = join(folder, 'tiny.gguf');
  let loaded: Awaited<ReturnType<typeof loadGguf>>;
  before(async () => {
    writeFileSync(path, tinyGguf());
    loaded = await loadGguf(path);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What is written when these lines are typed. */
  async function typed(lines: readonly string[]): Promise<string> {
    const [input, output] = [new PassThrough(), new PassThrough()];
    let written = '';
    output.on('data', (text) => (written += text));
    input.end(lines.map((line) => `${line}\n`).join(''));
    await converse(loaded, { maxNewTokens: 4 }, { input, output });
    return written;
  }

  it('goes on without its oldest turns when it has become longer than the model sees', async () => {
    const { contextLength } = loaded.model.config;
    const messages = Array.from({ length: 41 }, (_, i) => ({
      role: i % 2 === 0 ? ('user' as const) : ('assistant' as const),
      content: `message ${i}`,
    }));
    const { ids, kept, forgotten } = fitting(loaded, messages, 8);
    expect(ids.length).to.be.at.most(contextLength - 8);
    expect(forgotten).to.be.above(0);
    expect(forgotten % 2).to.equal(0);
    expect(kept).to.deep.equal(messages.slice(forgotten));
    expect(fitting(loaded, messages.slice(-1), 8).forgotten).to.equal(0);

    const written = await typed(Array.from({ length: 30 }, () => 'What is the capital of France?'));
    expect(written).to.match(
      /\(The model sees at most \d+ tokens: the oldest \d+ messages are forgotten\.\)/,
    );
    expect(written.match(/\(\d+ tokens?, [\d.]+ a second/g)).to.have.length(30);
  });

  it('says of one message that it is too long, and goes on', async () => {
    const written = await typed(['word '.repeat(5000), 'Hello']);
    expect(written).to.match(/\(This message has \d+ tokens, and the model sees at most \d+: shorten it\.\)/);
    expect(written.match(/\(\d+ tokens?, /g)).to.have.length(1);
  });

  it('takes Ctrl-C at its prompt as node does', () => {
    const interrupts = new Interrupts();
    expect(interrupts.press('half a mess')).to.equal('clear');
    expect(interrupts.press('')).to.equal('warn');
    expect(interrupts.press('x')).to.equal('clear');
    expect(interrupts.press('')).to.equal('warn');
    interrupts.forget(undefined);
    expect([interrupts.press(''), interrupts.press('')]).to.deep.equal(['warn', 'end']);
  });

  it('--prompt writes the answer alone to stdout', async () => {
    const args = ['--backend', 'js', '--weights', path, '--max-new-tokens', '3', '--prompt', 'Hello'];
    const { stdout, stderr, status } = await program('chapters/llama/run.ts', args);
    expect(status, stderr).to.equal(0);
    expect(stdout).not.to.match(/Engine|a second/);
    expect(stderr).to.match(/^Engine: js.*\n[\s\S]*\(\d+ tokens?, [\d.]+ a second\)\n$/);
  });
});
