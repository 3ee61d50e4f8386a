import * as protocol from './protocol.ts';

/** The protocol once more in AssemblyScript's words, as build.ts writes it to assembly/protocol.ts. */
export function protocolInAssemblyScript(): string {
  const {
    SCRATCH,
    ARGUMENTS,
    MR,
    FINGERPRINT,
    Start,
    Unary,
    Binary,
    Reduce,
    CastFrom,
    Blocks,
    JOBS,
    LAYOUTS,
  } = protocol;
  const numberOf = Object.fromEntries(Object.keys(JOBS).map((job, number) => [job, number]));
  return [
    '/** Written by ../build.ts from ../protocol.ts, where it is explained. The compiler is told the numbers named ASC_…. */',
    constants({ SCRATCH, ARGUMENTS, MR, FINGERPRINT }),
    'export const REGION: i32 = ASC_REGION;',
    'export const NR: i32 = ASC_PANEL_COLUMNS;',
    ...Object.entries({ Job: numberOf, Start, Unary, Binary, Reduce, CastFrom, Blocks }).map(
      ([name, numbers]) => namespace(name, constants(numbers)),
    ),
    ...Object.entries(LAYOUTS).map(([name, layout]) => namespace(name, readers(layout))),
  ].join('\n');
}

const namespace = (name: string, body: string): string => `export namespace ${name} {\n${body}\n}`;

const constants = (numbers: Readonly<Record<string, number>>): string =>
  Object.entries(numbers)
    .map(([name, number]) => `export const ${name}: i32 = ${number};`)
    .join('\n');

/** For each argument a function that reads it; that of a list takes an index. */
function readers(layout: protocol.Layout): string {
  return protocol
    .placesOf(layout)
    .map(({ name, type, at, length }) => {
      const address = `REGION + ${protocol.ARGUMENTS + 4 * at}`;
      const [parameter, place] =
        length === undefined ? ['', address] : ['i: i32', `${address} + (<usize>i << 2)`];
      return `// @ts-ignore: decorator\n@inline export function ${name}(${parameter}): ${type} { return load<${type}>(${place}); }`;
    })
    .join('\n');
}
