import { testReadme } from '../../support/readme.ts';

testReadme('chapters/appendixA/README.md');
