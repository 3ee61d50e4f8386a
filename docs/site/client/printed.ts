/** The lines that a program prints. However many come at once, the page stays alive: they are drawn once in a frame. */

import { element } from './dom.ts';

/** Lines that come faster than can be read are put into one block of at most so many. */
const BLOCK = 500;
/** A frame that draws fewer gives each line a place of its own. */
const FEW = 100;
/** Earlier lines are left out. */
const MOST = 20_000;

/** An entry that waits to be drawn: a line, or work that has to come after the lines before it. */
type Waiting = { line: string; isMistake: boolean } | (() => void);

export class Printed {
  readonly #place: HTMLElement;
  #waiting: Waiting[] = [];
  #timer: number | undefined;
  /** Blocks of many lines, the oldest first. */
  #blocks: { block: HTMLElement; lines: number }[] = [];
  #left = 0;

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  clear(): void {
    this.#waiting = [];
    this.#blocks = [];
    this.#left = 0;
    this.#place.replaceChildren();
  }

  line(line: string, isMistake = false): void {
    this.#add({ line, isMistake });
  }

  /** Does something with the page when all lines before are drawn. */
  afterThat(work: () => void): void {
    this.#add(work);
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    // A page that is not seen has no frames.
    this.#timer ??= window.setTimeout(() => this.draw(), 16);
  }

  /** Draws all entries that wait. */
  draw(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { scrollTop, clientHeight, scrollHeight } = this.#place;
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - 40;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < waiting.length; ) {
      const first = waiting[at];
      if (typeof first === 'function') {
        first();
        at++;
        continue;
      }
      let end = at + 1;
      const most = waiting.length > FEW ? BLOCK : 1;
      while (end < waiting.length && end - at < most) {
        const more = waiting[end];
        // The last line before a function stands alone: the function may be about it.
        if (typeof more === 'function' || more.isMistake !== first.isMistake) break;
        if (typeof waiting[end + 1] === 'function') break;
        end++;
      }
      const lines = waiting.slice(at, end) as { line: string }[];
      this.#show(lines.map(({ line }) => `${line}\n`).join(''), lines.length, first.isMistake);
      at = end;
    }
    if (isAtEnd) this.#place.scrollTop = this.#place.scrollHeight;
  }

  #show(text: string, lines: number, isMistake: boolean): void {
    const block = element('pre', isMistake ? { className: 'mistake' } : {}, text);
    this.#place.append(block);
    this.#blocks.push({ block, lines });
    this.#left += lines;
    while (this.#left > MOST) {
      const { block: oldest, lines: fewer } = this.#blocks.shift()!;
      if (this.#place.firstElementChild?.className !== 'left-out')
        this.#place.prepend(element('p', { className: 'left-out' }, 'Earlier lines are left out.'));
      oldest.remove();
      this.#left -= fewer;
    }
  }
}
