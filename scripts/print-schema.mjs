/** `npm run schema`: prints schema/schema.graphql. */
import {mkdirSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {buildSync} from 'esbuild';
import {root} from './lib/project.mjs';

// Node runs no decorators; a bundle beside the packages it needs is made faster than a build.
const folder = join(root, 'node_modules/.cache');
const bundle = join(folder, `print-schema-${process.pid}.mjs`);
mkdirSync(folder, {recursive: true});
try {
  buildSync({
    stdin: {contents: "import 'reflect-metadata';\nexport {printedGraph} from './schema/print.ts';", resolveDir: root, loader: 'ts'},
    outfile: bundle, bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node24', keepNames: true,
  });
  const {printedGraph} = await import(pathToFileURL(bundle).href);
  writeFileSync(join(root, 'schema/schema.graphql'), printedGraph());
} finally {
  rmSync(bundle, {force: true});
}
