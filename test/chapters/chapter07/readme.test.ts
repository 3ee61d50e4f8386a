import { testReadme } from '../../support/readme.ts';

testReadme('chapters/chapter07/README.md');
