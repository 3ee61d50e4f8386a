import { testReadme } from '../../support/readme.ts';

testReadme('chapters/llama/README.md');
