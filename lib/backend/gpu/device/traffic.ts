/** The bytes that cross the bus, and how often the main thread waits: the same on any card. */
export interface Traffic {
  /** From the program to the device. */
  bytesUp: number;
  /** From the device to the program. */
  bytesDown: number;
  /** Reads on which the main thread waited. */
  waits: number;
  /** Kernels that were run. */
  launches: number;
}

const COUNTS = ['bytesUp', 'bytesDown', 'waits', 'launches'] as const;
/** Steps that are remembered: enough for a median. */
const REMEMBERED = 1000;

/**
 * The traffic of a training step. A step lasts from one update of the parameters to the next. The median leaves out the
 * first step, in which the weights go up, and the steps between which a model is evaluated.
 */
export class StepMeter {
  readonly #traffic: Readonly<Traffic>;
  readonly #steps: Traffic[] = [];
  #before: Traffic | undefined;
  #updating = false;

  constructor(traffic: Readonly<Traffic>) {
    this.#traffic = traffic;
  }

  /** Must be told of every kernel of the seam. */
  note(name: string): void {
    const updates = name === 'adamW';
    if (updates && !this.#updating) this.#stepEnds();
    this.#updating = updates;
  }

  #stepEnds(): void {
    const now = { ...this.#traffic };
    const before = this.#before;
    this.#before = now;
    if (!before) return;
    const step = { ...now };
    for (const count of COUNTS) step[count] -= before[count];
    this.#steps.push(step);
    if (this.#steps.length > REMEMBERED) this.#steps.shift();
  }

  /** The median of each count, over the last steps; nothing before the second step. */
  get median(): Traffic | undefined {
    if (this.#steps.length === 0) return undefined;
    const median = { ...this.#steps[0] };
    for (const count of COUNTS) {
      const sorted = this.#steps.map((step) => step[count]).sort((a, b) => a - b);
      median[count] = sorted[sorted.length >> 1];
    }
    return median;
  }
}
