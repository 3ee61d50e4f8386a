import { run } from '../../../chapters/chapter02/run.ts';
import { dataPath, testFigures } from '../../support/figure-tests.ts';

testFigures('chapter02', (notebook) => run(notebook, { text: dataPath('the-verdict') ?? 'own' }));
