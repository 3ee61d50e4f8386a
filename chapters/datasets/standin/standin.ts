/**
 * The stand-in for the SMS Spam Collection, used when the real one can be had neither from a local copy nor
 * from the network. Every message is made up here, from the templates and word lists of templates.json; README.md
 * says how and what it is not.
 */

import { random } from '../../../lib/index.ts';
import type { Message } from '../messages.ts';
import TEMPLATES from './templates.json' with { type: 'json' };

/** The sizes of the real collection, as pandas reads it. */
const HAM_ROWS = 4825;
const SPAM_ROWS = 747;

/** The stand-in is one fixed set of rows; this seed made it. (The seed of the split is another matter.) */
const GENERATOR_SEED = 1906;

/** Nothing made from the templates is longer; that keeps it below the three long messages. */
const MAX_CHARACTERS = 300;

/** Share of messages of each kind that use the other kind's words, and of those that could be either. */
const HARD_SHARE = { ham: 0.1, spam: 0.14 };
const EITHER_SHARE = 0.02;
/** Share of the remaining ham that is a short answer. */
const REPLY_SHARE = 0.17;

const { ham: HAM, spam: SPAM, either: EITHER } = TEMPLATES;

/** All 5,572 rows, ham and spam mixed in a fixed order. The same at every call. */
export function standInMessages(): Message[] {
  const draw = new Random(GENERATOR_SEED);
  const ham = Array.from({ length: HAM_ROWS }, () => ordinaryMessage(draw));
  const spam = Array.from({ length: SPAM_ROWS }, () => spamMessage(draw));
  for (const { row, text } of HAM.long) ham[row] = text;

  const rows: Message[] = [
    ...ham.map((text) => ({ label: 'ham' as const, text })),
    ...spam.map((text) => ({ label: 'spam' as const, text })),
  ];
  // Which rows are spam is shuffled; within each kind the order stays, since the long ones have their places.
  const kinds = draw.shuffled(rows.map((row) => row.label));
  const next = { ham: 0, spam: HAM_ROWS };
  return kinds.map((kind) => rows[next[kind]++]);
}

function ordinaryMessage(draw: Random): string {
  return withinLength(() => {
    if (draw.chance(EITHER_SHARE)) return finish(draw.pick(EITHER), draw);
    if (draw.chance(HARD_SHARE.ham)) return finish(withCloser(draw.pick(HAM.hard), draw), draw);
    if (draw.chance(REPLY_SHARE)) return finish(withCloser(draw.pick(HAM.replies), draw), draw);
    const topics = draw.chance(0.2)
      ? [draw.pick(HAM.topics), draw.pick(HAM.topics)]
      : [draw.pick(HAM.topics)];
    const sentences = topics.flatMap((topic) => [draw.pick(topic.lead), ...follow(topic, draw)]);
    const opener = draw.chance(0.35) ? `${draw.pick(HAM.openers)}{,|!| |...} ` : '';
    return finish(withCloser(opener + sentences.join(' '), draw), draw);
  });
}

/** Up to four sentences that follow a topic's first. */
function follow(topic: (typeof HAM.topics)[number], draw: Random): string[] {
  const count = draw.pick([0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 4]);
  return draw.shuffled(topic.follow).slice(0, count);
}

function withCloser(text: string, draw: Random): string {
  return draw.chance(0.3) ? `${text} ${draw.pick(HAM.closers)}` : text;
}

function spamMessage(draw: Random): string {
  return withinLength(() => {
    if (draw.chance(EITHER_SHARE)) return finish(draw.pick(EITHER), draw);
    if (draw.chance(HARD_SHARE.spam)) return finish(draw.pick(SPAM.hard), draw);
    const greeting = draw.chance(0.1) ? '{Hi {name}, |Dear customer, |{service}: |Hello! |{name}! }' : '';
    const hype = draw.chance(0.45) ? [draw.pick(SPAM.hype)] : [];
    const small = draw.shuffled(SPAM.smallPrint).slice(0, draw.pick([0, 1, 1, 2, 2]));
    const sentences = [draw.pick(SPAM.offers), ...hype, ...small];
    const text = finish(greeting + sentences.join('. '), draw, drawFirmHand(draw));
    return draw.chance(0.06) ? text.toUpperCase() : text;
  });
}

/** A template filled in, typed by some hand, and begun with a capital as phones do. */
function finish(template: string, draw: Random, hand: Hand = drawHand(draw)): string {
  const text = expand(template, TEMPLATES, draw).replaceAll('!.', '!');
  return typed(text[0].toUpperCase() + text.slice(1), hand, draw);
}

function withinLength(make: () => string): string {
  for (;;) {
    const text = make();
    if (text.length <= MAX_CHARACTERS) return text;
  }
}

/** What gaps are filled with, by name. */
export interface Fillings {
  /** Lists of words, divided by commas. A word may be a template itself. */
  words: Record<string, string>;
  /** Templates of numbers, codes and addresses. */
  numbers: Record<string, string>;
}

/**
 * Fills a template, innermost braces first: `{a|b|c}` is one of the alternatives (one may be empty), `{1-30}` a number,
 * `{name}` a word or number of that name. @throws Error if there is none of that name
 */
export function expand(template: string, fillings: Fillings, draw: Random): string {
  const innermost = /\{([^{}]*)\}/;
  let text = template;
  for (let found = innermost.exec(text); found; found = innermost.exec(text)) {
    const [whole, content] = found;
    text =
      text.slice(0, found.index) + fill(content, fillings, draw) + text.slice(found.index + whole.length);
  }
  return text.replace(/ {2,}/g, ' ').trim();
}

function fill(content: string, fillings: Fillings, draw: Random): string {
  if (content.includes('|')) return draw.pick(content.split('|'));
  const range = /^(\d+)-(\d+)$/.exec(content)?.slice(1).map(Number);
  if (range) return String(range[0] + draw.below(range[1] - range[0] + 1));
  const { [content]: words } = fillings.words;
  if (words !== undefined) return draw.pick(words.split(', '));
  const { [content]: number } = fillings.numbers;
  if (number === undefined) throw new Error(`no word list '${content}'`);
  return number;
}

/** The draws a text generator needs. */
export class Random {
  private readonly engine: random.Mt19937;

  constructor(seed: number) {
    this.engine = new random.Mt19937(seed);
  }

  /** A whole number in 0 … n − 1. */
  below(n: number): number {
    return Math.floor(this.engine.nextDouble() * n);
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.engine.nextDouble() < p;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** The items in a random order. */
  shuffled<T>(items: readonly T[]): T[] {
    const order = [...items];
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}

/** Texting spellings by the word they replace. */
const TEXTING = new Map(Object.entries(TEMPLATES.texting));

/** How one writer types, from careful (all 0) to careless. */
interface Hand {
  /** Share of words replaced by their texting spelling. */
  texting: number;
  lowerCase: boolean;
  dropsApostrophes: boolean;
  /** Share of words with two letters swapped, one doubled or one left out. */
  slips: number;
  /** What a full stop becomes. */
  stop: string;
}

/** Draws a private writer's hand: about a third careful, a third relaxed, a third careless. */
function drawHand(draw: Random): Hand {
  const carelessness = draw.below(3);
  return {
    texting: [0, 0.15, 0.5][carelessness],
    lowerCase: draw.chance([0.05, 0.3, 0.55][carelessness]),
    dropsApostrophes: draw.chance([0.1, 0.5, 0.9][carelessness]),
    slips: [0.002, 0.008, 0.025][carelessness],
    stop: draw.chance(0.6) ? '.' : draw.pick(['...', '..', ',', '!', ' ']),
  };
}

/** The hand of a firm, or of somebody who passes for one: few slips, some texting spelling, some shouting. */
function drawFirmHand(draw: Random): Hand {
  return {
    texting: draw.pick([0, 0, 0.1, 0.35]),
    lowerCase: draw.chance(0.08),
    dropsApostrophes: draw.chance(0.5),
    slips: 0.003,
    stop: draw.chance(0.75) ? '.' : draw.pick(['!', '!', ',', ' ']),
  };
}

/** The text as that hand would type it. Words with digits in them (numbers, codes) are left alone. */
function typed(text: string, hand: Hand, draw: Random): string {
  let result = text.replace(/\.(?= )/g, hand.stop).replace(/[A-Za-z']+/g, (word, at: number) => {
    const touchesDigit = /[\d./@]/.test(text[at - 1] ?? '') || /\d/.test(text[at + word.length] ?? '');
    if (touchesDigit) return word;
    const spellings = TEXTING.get(word.toLowerCase());
    if (spellings && draw.chance(hand.texting)) return matchCase(draw.pick(spellings.split(' ')), word);
    return word.length > 3 && draw.chance(hand.slips) ? slip(word, draw) : word;
  });
  if (hand.dropsApostrophes) result = result.replaceAll("'", '');
  if (hand.lowerCase && result !== result.toUpperCase()) result = result.toLowerCase();
  return result;
}

function matchCase(spelling: string, word: string): string {
  return word[0] === word[0].toUpperCase() ? spelling[0].toUpperCase() + spelling.slice(1) : spelling;
}

function slip(word: string, draw: Random): string {
  const at = 1 + draw.below(word.length - 2);
  const [before, letter, next, after] = [word.slice(0, at), word[at], word[at + 1], word.slice(at + 2)];
  return before + draw.pick([next + letter, letter + letter + next, next]) + after;
}
