/** Files of this machine. A browser has none: there, what is asked of them is an error that says so. */
export * from '#platform/lib/io/files';
