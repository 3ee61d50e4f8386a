/** `node:os`, as far as the chapters use it. */

export const constants = { signals: { SIGINT: 2, SIGTERM: 15 } };
export const tmpdir = (): string => '/tmp';
export const homedir = (): string => '/home';
export const EOL = '\n';
