import { testReadme } from '../../support/readme.ts';

testReadme('chapters/datasets/README.md');
