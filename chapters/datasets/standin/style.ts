/** How people type: texting spelling, dropped apostrophes and capitals, slips of the thumb. */

import type { Random } from './grammar.ts';

/** Texting spellings by the word they replace. */
const TEXTING: Record<string, readonly string[]> = {
  you: ['u'],
  your: ['ur'],
  "you're": ['ur'],
  are: ['r'],
  to: ['2'],
  too: ['2'],
  for: ['4'],
  tomorrow: ['tmrw', '2moro', 'tomo'],
  tonight: ['2nite', 'tonite'],
  because: ['cos', 'coz'],
  please: ['pls', 'plz'],
  thanks: ['thx', 'ta'],
  be: ['b'],
  see: ['c'],
  and: ['n', '&'],
  about: ['bout'],
  what: ['wat', 'wot'],
  with: ['wiv'],
  want: ['wnt'],
  going: ['goin'],
  doing: ['doin'],
  coming: ['comin'],
  have: ['av', 'hav'],
  before: ['b4'],
  great: ['gr8'],
  later: ['l8r'],
  message: ['msg'],
  text: ['txt'],
  minutes: ['mins'],
  really: ['rly'],
  something: ['sumthin'],
  though: ['tho'],
  know: ['no', 'kno'],
  when: ['wen'],
  the: ['da'],
  that: ['dat'],
  love: ['luv'],
  good: ['gd'],
  back: ['bak'],
  just: ['jus'],
  weekend: ['wkend'],
  why: ['y'],
};

/** How one writer types, from careful (all 0) to careless. */
export interface Hand {
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
export function drawHand(random: Random): Hand {
  const carelessness = random.below(3);
  return {
    texting: [0, 0.15, 0.5][carelessness],
    lowerCase: random.chance([0.05, 0.3, 0.55][carelessness]),
    dropsApostrophes: random.chance([0.1, 0.5, 0.9][carelessness]),
    slips: [0.002, 0.008, 0.025][carelessness],
    stop: random.chance(0.6) ? '.' : random.pick(['...', '..', ',', '!', ' ']),
  };
}

/** The hand of a firm, or of somebody who passes for one: few slips, some texting spelling, some shouting. */
export function drawFirmHand(random: Random): Hand {
  return {
    texting: random.pick([0, 0, 0.1, 0.35]),
    lowerCase: random.chance(0.08),
    dropsApostrophes: random.chance(0.5),
    slips: 0.003,
    stop: random.chance(0.75) ? '.' : random.pick(['!', '!', ',', ' ']),
  };
}

/** The text as that hand would type it. Words with digits in them (numbers, codes) are left alone. */
export function type(text: string, hand: Hand, random: Random): string {
  let typed = text.replace(/\.(?= )/g, hand.stop).replace(/[A-Za-z']+/g, (word, at: number) => {
    const touchesDigit = /[\d./@]/.test(text[at - 1] ?? '') || /\d/.test(text[at + word.length] ?? '');
    if (touchesDigit) return word;
    const spellings = TEXTING[word.toLowerCase()];
    if (spellings && random.chance(hand.texting)) return matchCase(random.pick(spellings), word);
    return word.length > 3 && random.chance(hand.slips) ? slip(word, random) : word;
  });
  if (hand.dropsApostrophes) typed = typed.replaceAll("'", '');
  if (hand.lowerCase && typed !== typed.toUpperCase()) typed = typed.toLowerCase();
  return typed;
}

function matchCase(spelling: string, word: string): string {
  return word[0] === word[0].toUpperCase() ? spelling[0].toUpperCase() + spelling.slice(1) : spelling;
}

function slip(word: string, random: Random): string {
  const at = 1 + random.below(word.length - 2);
  const [before, letter, next, after] = [word.slice(0, at), word[at], word[at + 1], word.slice(at + 2)];
  return before + random.pick([next + letter, letter + letter + next, next]) + after;
}
