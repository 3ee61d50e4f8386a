// What package.json says has to be true before anybody can install it. Run by workflows/publish.yml.
import { readFileSync } from 'node:fs';

const { version, repository } = JSON.parse(readFileSync('package.json', 'utf8'));
const { GITHUB_REF_NAME, GITHUB_REPOSITORY } = process.env;
const expected = `git+https://github.com/${GITHUB_REPOSITORY}.git`;
const wrong = [
  repository.url !== expected && `repository.url is ${repository.url}, and this repository is ${expected}`,
  GITHUB_REF_NAME !== `v${version}` && `version is ${version}, and the tag is ${GITHUB_REF_NAME}`,
].filter(Boolean);
for (const what of wrong) console.error(`package.json: ${what}`);
process.exit(wrong.length === 0 ? 0 : 1);
