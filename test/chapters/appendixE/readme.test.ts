import { testReadme } from '../../support/readme.ts';

testReadme('chapters/appendixE/README.md');
