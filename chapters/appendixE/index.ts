export { measureChanges, showWhatChanged } from './06-looking-inside.ts';
