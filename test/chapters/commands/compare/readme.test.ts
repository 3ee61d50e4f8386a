import { testReadme } from '../../../support/readme.ts';

testReadme('chapters/commands/compare/README.md');
