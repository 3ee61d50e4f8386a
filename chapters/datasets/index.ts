export { hubFile } from './hub-file.ts';
export { INSTRUCTIONS, type InstructionEntry } from './instructions.ts';
export {
  isFolder,
  type LabelledText,
  type Parts,
  readLabelledTexts,
  readParts,
  writeParts,
} from './labelled-texts.ts';
export { MESSAGES, type Message, ORIGINAL_ROWS, parseSms } from './messages.ts';
export { type DataSet, keptAt, type Obtained, type ObtainOptions, obtain } from './obtain.ts';
export {
  type Columns,
  classesOf,
  joinSpellings,
  type NamedText,
  readOwnTexts,
  sameName,
} from './own-texts.ts';
export { STORY, TEXT_OPTION } from './story.ts';
export { isTable, TABLE_ENDINGS } from './tables.ts';
export { decodeText, readText } from './text.ts';
