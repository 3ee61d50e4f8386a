import { testReadme } from '../../support/readme.ts';

testReadme('chapters/chapter06/README.md');
