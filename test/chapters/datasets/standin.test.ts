import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { encode } from 'gpt-tokenizer/encoding/r50k_base';
import { createBalancedDataset, randomSplit } from '../../../chapters/chapter06/index.ts';
import type { Message } from '../../../chapters/datasets/index.ts';
import { expand, Random, standInMessages } from '../../../chapters/datasets/standin/standin.ts';
import TEMPLATES from '../../../chapters/datasets/standin/templates.json' with { type: 'json' };

const messages = standInMessages();

function split(seed: number) {
  return randomSplit(createBalancedDataset(messages, seed), 0.7, 0.1, seed);
}

describe('the stand-in', () => {
  it('has the counts of the real collection, and is the same every time', () => {
    expect(messages.filter((message) => message.label === 'ham')).to.have.length(4825);
    expect(messages.filter((message) => message.label === 'spam')).to.have.length(747);
    expect(standInMessages()).to.deep.equal(messages);
  });

  it('is the one that the results in docs/ were measured on, byte for byte', () => {
    const hash = createHash('sha256').update(JSON.stringify(messages)).digest('hex');
    expect(hash).to.equal('7de0245a54dacd27437b0cf6544cd5e318bf823e8508543a2f9cd333c566a383');
  });

  it('has its longest messages under seed 42 where the real collection has them', () => {
    const { train, validation, test } = split(42);
    expect([train, validation, test].map((part) => part.length)).to.deep.equal([1045, 149, 300]);
    const longest = { train, validation, test };
    for (const { part, text } of TEMPLATES.ham.long) {
      const rows = longest[part as keyof typeof longest];
      expect(rows.map((row) => row.text)).to.include(text);
    }
    const lengths = [train, validation, test].map((rows) =>
      Math.max(...rows.map((row) => encode(row.text).length)),
    );
    expect(lengths).to.deep.equal([109, 137, 120]);
  });

  it('never has a longer message, whatever the seed', () => {
    const lengths = messages.map((message) => encode(message.text).length).sort((a, b) => b - a);
    expect(lengths.slice(0, 3)).to.deep.equal([137, 120, 109]);
    expect(lengths[3]).to.be.below(100);
    expect(Math.min(...lengths)).to.be.at.least(1);
  });

  it('mixes spam through the whole file', () => {
    for (let start = 0; start < messages.length; start += 500) {
      const spam = messages.slice(start, start + 500).filter((message) => message.label === 'spam').length;
      expect(spam / Math.min(500, messages.length - start)).to.be.within(0.06, 0.22);
    }
  });

  it('has no gap left unfilled, no line ends, and telephone numbers only of the ranges kept for drama', () => {
    for (const { text } of messages) {
      expect(text).not.to.match(/[{}|\t\r\n"]|undefined/);
      for (const [number] of text.replaceAll(' ', '').matchAll(/0\d{10}/g)) {
        expect(number).to.match(/^(07700900|08081570|09098790|03069990)/);
      }
    }
  });

  it('is varied: few messages occur twice, and short answers most of all', () => {
    const distinct = (label: string) => {
      const texts = messages.filter((message) => message.label === label).map((message) => message.text);
      return new Set(texts).size / texts.length;
    };
    expect(distinct('ham')).to.be.above(0.9);
    expect(distinct('spam')).to.be.above(0.95);
  });

  it('can be learnt from single words, though not perfectly', () => {
    for (const seed of [42, 123]) {
      const { train, validation, test } = split(seed);
      const spamminess = naiveBayes(train);
      const held = [...validation, ...test];
      const right = held.filter(({ label, text }) => spamminess(text) > 0 === (label === 'spam'));
      expect(right.length / held.length).to.be.within(0.88, 0.985);
    }
  });
});

/** The log-odds of spam by counting words: the simplest of classifiers. */
function naiveBayes(rows: readonly Message[]): (text: string) => number {
  const words = (text: string) => text.toLowerCase().match(/\w\w+/g) ?? [];
  const counts = { ham: new Map<string, number>(), spam: new Map<string, number>() };
  const totals = { ham: 0, spam: 0 };
  for (const { label, text } of rows) {
    for (const word of words(text)) {
      counts[label].set(word, (counts[label].get(word) ?? 0) + 1);
      totals[label]++;
    }
  }
  const vocabulary = new Set([...counts.ham.keys(), ...counts.spam.keys()]).size;
  const score = (word: string, label: 'ham' | 'spam') =>
    Math.log(((counts[label].get(word) ?? 0) + 1) / (totals[label] + vocabulary));
  return (text) => words(text).reduce((sum, word) => sum + score(word, 'spam') - score(word, 'ham'), 0);
}

describe('templates', () => {
  const lists = {
    words: { colour: 'red', thing: '{colour} hat' },
    numbers: { number: '8{0-9}{0-9}', room: '{100-101}' },
  };

  it('nest, and leave no double spaces', () => {
    const random = new Random(1);
    expect(expand('a {thing}', lists, random)).to.equal('a red hat');
    expect(expand('{|} a {|} b {|}', lists, random)).to.equal('a b');
    expect(expand('{the {thing}|the {thing}}', lists, random)).to.equal('the red hat');
    expect(expand('{number}', lists, random)).to.match(/^8\d{2}$/);
    expect(expand('{room}', lists, random)).to.match(/^10[01]$/);
  });

  it('choose every alternative', () => {
    const random = new Random(1);
    const seen = new Set(Array.from({ length: 100 }, () => expand('{a|b|c}', lists, random)));
    expect([...seen].sort()).to.deep.equal(['a', 'b', 'c']);
  });

  it('refuse a list that does not exist', () => {
    expect(() => expand('{nothing}', lists, new Random(1))).to.throw("no word list 'nothing'");
  });
});
