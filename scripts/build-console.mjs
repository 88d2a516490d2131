/**
 * Builds the console (src/api/console/app) into dist/console: index.html, and assets whose names carry a hash of their content, each
 * with a gzipped twin. Takes a few seconds.
 *
 * An argument names another folder to build into.
 */
import {mkdir, readFile, readdir, rename, rm, writeFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {basename, dirname, join, resolve} from 'node:path';
import {fileURLToPath} from 'node:url';
import {promisify} from 'node:util';
import {gzip} from 'node:zlib';
import {build} from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const app = join(root, 'src/api/console/app');
const target = resolve(process.argv[2] ?? join(root, 'dist/console'));
const folder = `${target}.building`;
const assets = join(folder, 'assets');

/** Monaco comes with GraphiQL, not with us: it is found from there, so that both use one copy. */
const graphiqlReact = dirname(createRequire(join(root, 'package.json')).resolve('@graphiql/react'));
const monaco = (/** @type {string} */ path) => createRequire(join(graphiqlReact, 'index.js')).resolve(path);

/** @type {import('esbuild').BuildOptions} */
const common = {
  bundle: true, minify: true, write: true, metafile: true, outdir: assets, logLevel: 'warning', target: ['chrome115', 'firefox115', 'safari16.4'],
  define: {'process.env.NODE_ENV': '"production"'}, legalComments: 'external', entryNames: '[name]-[hash]', chunkNames: '[name]-[hash]', assetNames: '[name]-[hash]',
};

/** The file written for each entry point, without its folder. */
const namesOf = (/** @type {import('esbuild').Metafile} */ {outputs}) =>
  Object.entries(outputs).flatMap(([path, output]) => (output.entryPoint ? [{entry: basename(output.entryPoint), file: basename(path), css: output.cssBundle && basename(output.cssBundle)}] : []));

await rm(folder, {recursive: true, force: true});
await mkdir(assets, {recursive: true});

const workers = await build({
  ...common,
  format: 'iife',
  entryPoints: {
    'editor.worker': monaco('monaco-editor/esm/vs/editor/editor.worker.js'),
    'json.worker': monaco('monaco-editor/esm/vs/language/json/json.worker.js'),
    'graphql.worker': monaco('monaco-graphql/esm/graphql.worker.js'),
  },
});
const workerNames = Object.fromEntries(namesOf(workers.metafile).map(({entry, file}) => [entry.replace('.worker.js', ''), file]));

const main = await build({
  ...common,
  format: 'esm',
  splitting: true,
  jsx: 'automatic',
  entryPoints: [join(app, 'main.tsx')],
  loader: {'.ttf': 'file'},
  define: {...common.define, MONACO_WORKERS: JSON.stringify(workerNames)},
});
const outputs = namesOf(main.metafile);
const script = outputs.find(({entry}) => entry === 'main.tsx');
// esbuild does not load the style sheets of parts imported later, and writes some twice: the page loads each once, its own last.
const sheets = new Map();
for (const file of (await readdir(assets)).filter((name) => name.endsWith('.css') && name !== script.css)) {
  const content = await readFile(join(assets, file), 'utf8');
  if (sheets.has(content)) await rm(join(assets, file));
  else sheets.set(content, file);
}
const styles = [...sheets.values(), script.css];

const html = (await readFile(join(app, 'index.html'), 'utf8'))
  .replace('<!-- styles -->', styles.map((file) => `<link rel="stylesheet" href="assets/${file}">`).join('\n    '))
  .replace('<!-- scripts -->', `<script type="module" src="assets/${script.file}"></script>`);
await writeFile(join(folder, 'index.html'), html);

for (const file of await readdir(assets)) {
  const content = await readFile(join(assets, file));
  await writeFile(join(assets, `${file}.gz`), await promisify(gzip)(content, {level: 9}));
}

// A build that fails leaves the last one in place.
await rm(target, {recursive: true, force: true});
await rename(folder, target);
