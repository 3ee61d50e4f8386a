/** What the bundler gives to the programs of the site. */

/** The modules of the book, by path in the repository. */
declare module 'site:modules' {
  export const modules: Record<string, () => Promise<unknown>>;
}
