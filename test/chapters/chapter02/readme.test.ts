import { testReadme } from '../../support/readme.ts';

testReadme('chapters/chapter02/README.md');
