/** `node:util`, as far as the chapters use it: the words of a command line. */

interface Token {
  kind: 'option' | 'positional' | 'option-terminator';
  index: number;
  name?: string;
  rawName?: string;
  value?: string;
  inlineValue?: boolean;
}

export interface ParseOptions {
  args: string[];
  options: Record<string, { type: 'boolean' | 'string' }>;
}

/** Node's `parseArgs` with `strict: false, tokens: true`: nothing is refused here. */
export function parseArgs({ args, options }: ParseOptions): { tokens: Token[] } {
  const tokens: Token[] = [];
  for (let index = 0; index < args.length; index++) {
    const word = args[index];
    if (word === '--') {
      tokens.push({ kind: 'option-terminator', index });
      for (let i = index + 1; i < args.length; i++)
        tokens.push({ kind: 'positional', index: i, value: args[i] });
      break;
    }
    const [, name, , inline] = /^--([^=]+)(=([\s\S]*))?$/.exec(word) ?? [];
    if (name !== undefined) {
      const token: Token = { kind: 'option', index, name, rawName: `--${name}` };
      const next = args[index + 1];
      if (inline !== undefined) Object.assign(token, { value: inline, inlineValue: true });
      else if (options[name]?.type === 'string' && next !== undefined) {
        Object.assign(token, { value: next, inlineValue: false });
        index++;
      }
      tokens.push(token);
    } else if (/^-./.test(word)) {
      tokens.push({ kind: 'option', index, name: word[1], rawName: word.slice(0, 2) });
    } else tokens.push({ kind: 'positional', index, value: word });
  }
  return { tokens };
}
