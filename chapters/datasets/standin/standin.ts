/**
 * The stand-in for the SMS Spam Collection, used when the real one can be had neither from a local copy nor
 * from the network. Every message is made up here, from templates; README.md says how and what it is not.
 */

import type { Message } from '../messages.ts';
import { expand, Random } from './grammar.ts';
import { TOPICS, type Topic } from './ham.ts';
import { EITHER, HARD_HAM } from './ham-hard.ts';
import { CLOSERS, OPENERS, REPLIES } from './ham-phrases.ts';
import { LONG_MESSAGES } from './long.ts';
import { HARD_SPAM, HYPE, SMALL_PRINT, SPAM } from './spam.ts';
import { drawFirmHand, drawHand, type Hand, type as typed } from './style.ts';
import { WORDS } from './words.ts';

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

/** All 5,572 rows, ham and spam mixed in a fixed order. The same at every call. */
export function standInMessages(): Message[] {
  const random = new Random(GENERATOR_SEED);
  const ham = Array.from({ length: HAM_ROWS }, () => ordinaryMessage(random));
  const spam = Array.from({ length: SPAM_ROWS }, () => spamMessage(random));
  for (const { row, text } of LONG_MESSAGES) ham[row] = text;

  const rows: Message[] = [
    ...ham.map((text) => ({ label: 'ham' as const, text })),
    ...spam.map((text) => ({ label: 'spam' as const, text })),
  ];
  // Which rows are spam is shuffled; within each kind the order stays, since the long ones have their places.
  const kinds = random.shuffled(rows.map((row) => row.label));
  const next = { ham: 0, spam: HAM_ROWS };
  return kinds.map((kind) => rows[next[kind]++]);
}

function ordinaryMessage(random: Random): string {
  return withinLength(() => {
    if (random.chance(EITHER_SHARE)) return finish(random.pick(EITHER), random);
    if (random.chance(HARD_SHARE.ham)) return finish(withCloser(random.pick(HARD_HAM), random), random);
    if (random.chance(REPLY_SHARE)) return finish(withCloser(random.pick(REPLIES), random), random);
    const topics = random.chance(0.2) ? [random.pick(TOPICS), random.pick(TOPICS)] : [random.pick(TOPICS)];
    const sentences = topics.flatMap((topic) => [random.pick(topic.lead), ...follow(topic, random)]);
    const opener = random.chance(0.35) ? `${random.pick(OPENERS)}{,|!| |...} ` : '';
    return finish(withCloser(opener + sentences.join(' '), random), random);
  });
}

/** Up to four sentences that follow a topic's first. */
function follow(topic: Topic, random: Random): string[] {
  const count = random.pick([0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 4]);
  return random.shuffled(topic.follow).slice(0, count);
}

function withCloser(text: string, random: Random): string {
  return random.chance(0.3) ? `${text} ${random.pick(CLOSERS)}` : text;
}

function spamMessage(random: Random): string {
  return withinLength(() => {
    if (random.chance(EITHER_SHARE)) return finish(random.pick(EITHER), random);
    if (random.chance(HARD_SHARE.spam)) return finish(random.pick(HARD_SPAM), random);
    const greeting = random.chance(0.1) ? '{Hi {name}, |Dear customer, |{service}: |Hello! |{name}! }' : '';
    const hype = random.chance(0.45) ? [random.pick(HYPE)] : [];
    const small = random.shuffled(SMALL_PRINT).slice(0, random.pick([0, 1, 1, 2, 2]));
    const sentences = [random.pick(SPAM), ...hype, ...small];
    const text = finish(greeting + sentences.join('. '), random, drawFirmHand(random));
    return random.chance(0.06) ? text.toUpperCase() : text;
  });
}

/** A template filled in, typed by some hand, and begun with a capital as phones do. */
function finish(template: string, random: Random, hand: Hand = drawHand(random)): string {
  const text = expand(template, WORDS, random).replaceAll('!.', '!');
  return typed(text[0].toUpperCase() + text.slice(1), hand, random);
}

function withinLength(make: () => string): string {
  for (;;) {
    const text = make();
    if (text.length <= MAX_CHARACTERS) return text;
  }
}
