/** The worker of the start page: mini with the adapter that comes with the site. It does not train. */

import { obtainModel } from '../../../chapters/chapter05/obtain-model.ts';
import { readClassifierSettings } from '../../../chapters/chapter06/classifier-file.ts';
import { io } from '../../../lib/index.ts';
import { fetchMini, serve, startEngine } from './answering.ts';
import { type Classifier, classify, influence } from './answers.ts';
import type { Classify } from './lab-messages.ts';

const ADAPTER = '/docs/site/adapter';
let classifier: Classifier;

serve<Classify>({
  async open() {
    const engine = await startEngine('CPU');
    const settings = readClassifierSettings(ADAPTER)!;
    await fetchMini();
    const model = (await obtainModel({ model: 'mini' })).eval();
    io.loadAdapter(ADAPTER, model);
    classifier = { model, maxLength: settings.maxLength };
    return engine;
  },
  classify: (about) => classify(classifier, about),
  influence: (about) => influence(classifier, about),
});
