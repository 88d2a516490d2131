/** The process in which one jobs file is run; it answers with the definitions as data. `millrace/jobs` means the builder, wherever the file lies. */
import {registerHooks} from 'node:module';
import {pathToFileURL} from 'node:url';

const builder = new URL(`./builder${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href;
registerHooks({resolve: (specifier, context, next) => (specifier === 'millrace/jobs' ? {url: builder, shortCircuit: true} : next(specifier, context))});

/** Then it stays until it is ended, or until its parent is gone: an end may be seen before what was said last. */
function answer(message: unknown): void {
  process.channel!.ref();
  process.send!(message);
}

try {
  const jobs = (await import(pathToFileURL(process.argv[2]!).href)) as {default?: unknown};
  const found = jobs.default === undefined ? [] : Array.isArray(jobs.default) ? jobs.default : [jobs.default];
  if (found.length === 0) answer({error: 'it has no default export: `export default pipeline(…)`'});
  else answer({definitions: JSON.parse(JSON.stringify(found)) as unknown[]});
} catch (error) {
  answer({error: error instanceof Error ? `${error.name}: ${error.message}` : String(error)});
}
