import { expect } from 'chai';
import { proxyFor } from '../../../chapters/datasets/proxy.ts';

describe('the proxy for an address', () => {
  const of = (url: string, environment: Record<string, string>) => proxyFor(new URL(url), environment)?.host;

  it('is the one of its protocol, in small letters before capital ones, else the one for all', () => {
    const both = { HTTP_PROXY: 'http://a:1', https_proxy: 'b:2', HTTPS_PROXY: 'c:3' };
    expect(of('http://hub.org', both)).to.equal('a:1');
    expect(of('https://hub.org', both)).to.equal('b:2');
    expect(of('https://hub.org', { HTTP_PROXY: 'a:1' })).to.equal(undefined);
    expect(of('https://hub.org', { all_proxy: 'd:4' })).to.equal('d:4');
    expect(of('https://hub.org', {})).to.equal(undefined);
  });

  it('is none for what NO_PROXY names', () => {
    for (const [list, url, isExcepted] of [
      ['hub.org', 'https://hub.org', true],
      ['hub.org', 'https://cdn.hub.org', true],
      ['.hub.org', 'https://cdn.hub.org', true],
      ['*.hub.org', 'https://cdn.hub.org', true],
      ['hub.org', 'https://ahub.org', false],
      ['a.org, hub.org', 'http://hub.org', true],
      ['hub.org:443', 'https://hub.org', true],
      ['hub.org:8080', 'https://hub.org', false],
      ['127.0.0.1', 'http://127.0.0.1:3000', true],
      ['*', 'https://hub.org', true],
      ['', 'https://hub.org', false],
      [',', 'https://hub.org', false],
    ] as const) {
      const found = of(url, { ALL_PROXY: 'p:1', NO_PROXY: list });
      expect(found, `${list} for ${url}`).to.equal(isExcepted ? undefined : 'p:1');
    }
  });
});
