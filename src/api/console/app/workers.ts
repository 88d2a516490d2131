/** Where Monaco finds its workers. Must be imported before anything of Monaco. */

/** File names by label; put in by scripts/build-console.mjs, which builds the workers first. */
declare const MONACO_WORKERS: Readonly<Record<'editor' | 'json' | 'graphql', string>>;

(globalThis as {MonacoEnvironment?: unknown}).MonacoEnvironment = {
  getWorker(_id: string, label: string) {
    const name = label === 'json' || label === 'graphql' ? label : 'editor';
    return new Worker(new URL(`assets/${MONACO_WORKERS[name]}`, document.baseURI), {name: label});
  },
};
