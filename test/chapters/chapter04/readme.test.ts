import { testReadme } from '../../support/readme.ts';

testReadme('chapters/chapter04/README.md');
