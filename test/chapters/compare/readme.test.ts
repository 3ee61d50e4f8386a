import { testReadme } from '../../support/readme.ts';

testReadme('chapters/compare/README.md');
