import { testReadme } from '../../support/readme.ts';

testReadme('chapters/gemma/README.md');
