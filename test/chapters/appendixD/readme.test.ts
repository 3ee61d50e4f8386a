import { testReadme } from '../../support/readme.ts';

testReadme('chapters/appendixD/README.md');
