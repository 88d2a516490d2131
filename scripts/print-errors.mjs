/** `npm run docs`: prints docs/errors.md from the error table. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {transformSync} from 'esbuild';
import {errorsPage} from './lib/errors-page.mjs';
import {root} from './lib/project.mjs';

// The table imports nothing, so that it can be loaded without a build.
const {code} = transformSync(readFileSync(join(root, 'src/core/errors.ts'), 'utf8'), {loader: 'ts', format: 'esm'});
const {errorTable} = await import(`data:text/javascript,${encodeURIComponent(code)}`);
writeFileSync(join(root, 'docs/errors.md'), errorsPage(errorTable));
