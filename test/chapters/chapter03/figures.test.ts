import { run } from '../../../chapters/chapter03/run.ts';
import { testFigures } from '../../support/figure-tests.ts';

testFigures('chapter03', run);
