/** Files of this machine. A browser has none: there, asking for one is an error that says so. */
export * from '#platform/lib/io/files';
