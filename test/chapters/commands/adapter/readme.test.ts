import { testReadme } from '../../../support/readme.ts';

testReadme('chapters/commands/adapter/README.md');
