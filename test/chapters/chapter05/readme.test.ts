import { testReadme } from '../../support/readme.ts';

testReadme('chapters/chapter05/README.md');
