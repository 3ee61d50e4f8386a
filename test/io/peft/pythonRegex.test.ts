import { expect } from 'chai';
import { UserError } from '../../../lib/index.ts';
import { pythonFullMatch, pythonMatch } from '../../../lib/io/peft/pythonRegex.ts';
import { loadFixture } from '../../support/fixtures.ts';

const { names, answers } = loadFixture('expressions') as {
  names: string[];
  /** Of each name: 3 for a full match, 2 for one at its beginning, 0 for none; null if Python does not understand it. */
  answers: [expression: string, found: string | null][];
};

/** What Python understands, and is refused here in a line. */
const NOT_HERE = ['(a)\\1b', '(a)?(?(1)ab|b)'];

describe("Python's regular expressions", () => {
  for (const [expression, found] of answers) {
    const isRefused = found === null || NOT_HERE.includes(expression);
    it(`${JSON.stringify(expression)} ${isRefused ? 'is refused' : 'finds what Python finds'}`, () => {
      const ask = () =>
        names
          .map(
            (name) =>
              2 * Number(pythonMatch(expression, name) !== null) + Number(pythonFullMatch(expression, name)),
          )
          .join('');
      if (isRefused)
        expect(ask).to.throw(UserError, /^the regular expression [^\n]* cannot be read as Python's: /);
      else expect(ask()).to.equal(found);
    });
  }
});
