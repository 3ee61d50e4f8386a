import { SingleBar } from 'cli-progress';

/** The progress of a long step: a bar with rate and time left on a terminal, a plain line now and then elsewhere. */
export class Progress {
  private readonly bar: SingleBar | null;
  private readonly label: string;
  private readonly total: number;
  private readonly start = performance.now();
  private lastLine = 0;

  constructor(label: string, total: number) {
    this.label = label;
    this.total = total;
    this.bar = process.stderr.isTTY
      ? new SingleBar({
          stream: process.stderr,
          format: `${label} {bar} {value}/{total} · {rate} · {left} left · {note}`,
          hideCursor: true,
          clearOnComplete: true,
          barsize: 24,
        })
      : null;
    this.bar?.start(total, 0, { rate: '', left: '?', note: '' });
  }

  /** `done` steps of the total are behind us; `note` is shown beside them, e.g. the loss. */
  update(done: number, note = ''): void {
    const seconds = (performance.now() - this.start) / 1000;
    const perSecond = done / Math.max(seconds, 1e-3);
    const rate = perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${(1 / perSecond).toFixed(1)} s each`;
    const left = formatSeconds((this.total - done) / perSecond);
    if (this.bar) this.bar.update(done, { rate, left, note });
    else if (seconds - this.lastLine >= 15) {
      this.lastLine = seconds;
      console.error(`${this.label}: ${done}/${this.total} · ${rate} · ${left} left · ${note}`);
    }
  }

  /** Takes the bar off its line, so that something can be printed there; the next update draws it again. */
  clear(): void {
    if (this.bar) process.stderr.write('\r\x1b[K');
  }

  stop(): void {
    this.bar?.stop();
  }
}

/** 75 → `1m15s`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 60) return `${Math.ceil(seconds)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(Math.round(seconds % 60)).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}
