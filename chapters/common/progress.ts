/**
 * The progress of a long step, as one line of text: a bar, the rate and the time left. Where the line goes is for the
 * program to say; without a display (in tests, or where a chapter is imported) nothing is shown.
 */

/** Where progress is shown. */
export interface ProgressDisplay {
  /** Shows `line` in place of the previous one. */
  show(line: string, seconds: number): void;
  /** Takes the line away. */
  clear(): void;
}

let display: ProgressDisplay | undefined;

/** Says where progress is shown from now on, and returns what was there before. */
export function setProgressDisplay(next: ProgressDisplay | undefined): ProgressDisplay | undefined {
  const before = display;
  display = next;
  return before;
}

const BAR_WIDTH = 20;

export class Progress {
  private readonly label: string;
  private readonly total: number;
  private readonly first: number;
  private readonly start = performance.now();

  /** @param first how many of `total` steps were done before, by an earlier run */
  constructor(label: string, total: number, first = 0) {
    this.label = label;
    this.total = total;
    this.first = first;
  }

  /** `done` steps of the total are done; `note` is shown beside them, e.g. the loss. */
  update(done: number, note = ''): void {
    const seconds = (performance.now() - this.start) / 1000;
    const perSecond = (done - this.first) / Math.max(seconds, 1e-3);
    const rate = perSecond >= 1 ? `${perSecond.toFixed(1)}/s` : `${(1 / perSecond).toFixed(1)} s each`;
    const left = `${formatSeconds((this.total - done) / perSecond)} left`;
    const filled = Math.round((BAR_WIDTH * done) / Math.max(1, this.total));
    const bar = '█'.repeat(filled) + '░'.repeat(Math.max(0, BAR_WIDTH - filled));
    const speed = done > this.first ? [rate, left] : []; // unknown before the first step is done
    const parts = [`${this.label} ${bar} ${done}/${this.total}`, ...speed, note].filter(Boolean);
    display?.show(parts.join(' · '), seconds);
  }

  stop(): void {
    display?.clear();
  }
}

/** 75 → `1m15s`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole}s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}m${String(whole % 60).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}
