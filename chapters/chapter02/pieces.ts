/**
 * Words, numbers and runs of punctuation, each with the space before it; merges never cross their boundaries.
 * GPT-2's own expression, with white space as Unicode defines it: JavaScript's \s has U+FEFF too, and not U+0085.
 */
export const PIECES =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
