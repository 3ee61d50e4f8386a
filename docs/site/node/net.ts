/** `node:net`, as far as the chapters use it. A page cannot check whether a host is there: `fetch` will say. */

export function connect(_host: { host: string; port: number }) {
  return {
    once(event: string, listener: () => void) {
      if (event === 'connect') setTimeout(listener);
    },
    destroy() {},
  };
}
