/** The address of a module beside this one, for threads and processes: `.ts` from the sources, `.js` from the build. */
export const entryBeside = (name: string): URL => new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
