import { expect } from 'chai';
import fc from 'fast-check';
import { formatSeconds, Progress, setProgressDisplay } from '../../../chapters/common/progress.ts';
import { StreamProgress } from '../../../chapters/common/terminal.ts';

/** A stream that keeps what is written to it. */
function recorder(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  const stream = {
    ...{ isTTY, columns },
    write: (text: string) => written.push(text),
  } as unknown as NodeJS.WriteStream;
  return { written, stream, display: new StreamProgress(stream) };
}

describe('formatSeconds', () => {
  it('counts seconds, minutes and hours', () => {
    const shown = [0, 0.2, 59, 59.5, 60, 75, 119.7, 3599.4, 3661].map(formatSeconds);
    expect(shown).to.deep.equal(['0s', '1s', '59s', '1m00s', '1m00s', '1m15s', '2m00s', '1h00m', '1h01m']);
    expect(formatSeconds(Number.NaN)).to.equal('?');
    expect(formatSeconds(Number.POSITIVE_INFINITY)).to.equal('?');
  });

  it('never shows sixty of anything', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (seconds) => {
        expect(formatSeconds(seconds)).not.to.match(/60/);
      }),
    );
  });
});

describe('progress', () => {
  afterEach(() => void setProgressDisplay(undefined));

  it('changes no state of the terminal, and its line is shorter than the terminal is wide', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.string(), (columns, note) => {
        const { written, display } = recorder(true, columns);
        setProgressDisplay(display);
        const progress = new Progress('  pretraining', 1000);
        progress.update(500, note.replaceAll(/[^ -~]/g, ''));
        progress.stop();
        const [drawn, cleared] = written;
        expect(drawn.startsWith('\r\x1b[K')).to.equal(true);
        const line = drawn.slice(4);
        expect(line).not.to.include('\x1b');
        expect([...line].length).to.be.below(Math.max(columns, 1));
        expect(cleared).to.equal('\r\x1b[K');
      }),
    );
  });

  it('draws at most ten times a second, and clears only what was drawn', () => {
    const { written, display } = recorder(true, 80);
    for (let i = 0; i < 100; i++) display.show(`line ${i}`, 0);
    expect(written).to.have.length(1);
    display.clear();
    display.clear();
    expect(written).to.have.length(2);
  });

  it('without a terminal is a plain line every 15 seconds', () => {
    const { written, display } = recorder(false);
    for (const seconds of [0, 1, 14.9, 15, 16, 29, 31]) display.show(`  at ${seconds}`, seconds);
    display.clear();
    expect(written).to.deep.equal(['at 15\n', 'at 31\n']);
  });

  it('of a chapter goes to stdout then, so that stderr has nothing but errors', () => {
    const [stderr, stdout] = [recorder(false), recorder(false)];
    const display = new StreamProgress(stderr.stream, stdout.stream);
    display.show('  at 15', 15);
    expect([stderr.written, stdout.written]).to.deep.equal([[], ['at 15\n']]);
  });

  it('says what is done, how fast, and how long it will take', () => {
    const lines: string[] = [];
    setProgressDisplay({ show: (line) => lines.push(line), clear: () => lines.push('cleared') });
    const progress = new Progress('  counting', 2);
    progress.update(1);
    progress.update(2);
    progress.stop();
    expect(lines).to.have.length(3);
    expect(lines[0]).to.match(/^ {2}counting █{10}░{10} 1\/2 · \d+\.\d\/s · \ds left$/);
    expect(lines[1]).to.match(/^ {2}counting █{20} 2\/2 · .* · 0s left$/);
    expect(lines[2]).to.equal('cleared');
  });
});
