import { classify, generate, loadAdapter, loadModel } from 'llms-from-scratch-ts/models';

/** A base, an adapter and a tokeniser: how a text goes on, and then what the adapter calls it. */
export async function ask(base, adapter, text = 'the cat sat') {
  const loaded = await loadModel(base);
  const continued = generate(loaded, text, { maxNewTokens: 4 });
  await loadAdapter(loaded, adapter);
  const [answer] = classify(loaded, [text], { labels: ['ham', 'spam'] });
  return { continued, answer };
}
