import { testReadme } from '../../support/readme.ts';

testReadme('chapters/adapter/README.md');
