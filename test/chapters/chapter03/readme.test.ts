import { testReadme } from '../../support/readme.ts';

testReadme('chapters/chapter03/README.md');
