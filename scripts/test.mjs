/**
 * `npm test`: installs what the tests need, runs the fast ones first, then the slow ones, and ends with a summary whose last
 * line is "N passed, N failed". Exits with 1 when anything failed or nothing ran.
 *
 *   npm test                          everything
 *   npm test -- --only rules          types, lint, and the rules about imports, errors, migrations and files
 *   npm test -- --only fast           types, lint and all tests that start no servers
 *   npm test -- --only slow           the tests that start servers and kill them
 *   npm test -- --only test/catalog   the tests whose path has this in it
 */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {ensureBuilt} from './lib/build.mjs';
import {ensureInstalled} from './lib/install.mjs';
import {node24} from './lib/node.mjs';
import {duration, orExit, root, run} from './lib/project.mjs';
import {ensureTools} from './lib/tools.mjs';

const [flag, only, ...rest] = process.argv.slice(2);
if ((flag !== undefined && (flag !== '--only' || only === undefined)) || rest.length > 0) {
  console.error('usage: npm test [-- --only rules|fast|slow|PATTERN]');
  process.exit(2);
}

/** @typedef {{title: string, passed: number, failed: number, skipped: number, failures: string[], milliseconds: number}} Part */

/** Milliseconds after which a run of jest hangs: something keeps it open. */
const longestRun = 20 * 60_000;

/** @type {Part[]} */
const parts = [];
const started = Date.now();
const reports = mkdtempSync(join(tmpdir(), 'millrace-reports-'));

const environment = () => ({
  ...process.env,
  PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`,
  NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning',
});

/** One check that is a single program: passed when that ends well, shown when it does not. */
async function check(/** @type {string} */ title, /** @type {() => Promise<{ok: boolean, output: string}>} */ work) {
  const begun = Date.now();
  const {ok, output} = await work();
  const milliseconds = Date.now() - begun;
  console.log(`${ok ? '✓' : '✗'} ${title} (${duration(milliseconds)})${ok ? '' : `\n${output.trim()}\n`}`);
  parts.push({title, passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, failures: ok ? [] : [title], milliseconds});
}

const program = (/** @type {string} */ path, /** @type {string[]} */ args) =>
  run(node24(), [join(root, 'node_modules', path), ...args], {env: environment()});

const types = () => check('types', () => program('typescript/bin/tsc', ['-p', 'test']));
const lint = () => check('lint', () => program('oxlint/bin/oxlint', ['--quiet']));

/** A run of jest, whose own output is the progress. */
async function jest(/** @type {string} */ title, /** @type {string[]} */ args) {
  const begun = Date.now();
  console.log(`\n— ${title} —`);
  const report = join(reports, `${parts.length}.json`);
  const {ok} = await run(node24(), [join(root, 'node_modules/jest/bin/jest.js'), '--json', `--outputFile=${report}`, ...args], {env: environment(), show: true, timeout: longestRun});
  const milliseconds = Date.now() - begun;
  try {
    const result = JSON.parse(readFileSync(report, 'utf8'));
    // A file that cannot be loaded has no tests to count, and is one failure.
    const unloaded = result.testResults.filter((/** @type {any} */ file) => file.status === 'failed' && file.assertionResults.every((/** @type {any} */ test) => test.status !== 'failed'));
    const failures = result.testResults.flatMap((/** @type {any} */ file) => file.assertionResults
      .filter((/** @type {any} */ test) => test.status === 'failed')
      .map((/** @type {any} */ test) => `${file.name.slice(root.length + 1)}: ${test.fullName}`));
    failures.push(...unloaded.map((/** @type {any} */ file) => `${file.name.slice(root.length + 1)} (did not run)`));
    if (!ok && failures.length === 0) failures.push(`${title}: jest failed outside its tests`);
    parts.push({title, passed: result.numPassedTests, failed: failures.length, skipped: result.numPendingTests + result.numTodoTests, failures, milliseconds});
  } catch {
    parts.push({title, passed: 0, failed: 1, skipped: 0, failures: [`${title}: jest did not finish`], milliseconds});
  }
}

await orExit(ensureInstalled());
await check('build', () => ensureBuilt().then(() => ({ok: true, output: ''}), (error) => ({ok: false, output: String(error.message)})));

if (only === undefined || only === 'fast') {
  await Promise.all([types(), lint(), jest('fast', ['--selectProjects', 'fast'])]);
} else if (only === 'rules') {
  await Promise.all([types(), lint(), jest('rules', ['test/rules'])]);
} else if (only !== 'slow') {
  await jest(only, [only]);
}
if (only === undefined || only === 'slow') {
  await ensureTools();
  await jest('slow', ['--selectProjects', 'slow']);
}
rmSync(reports, {recursive: true, force: true});

const sum = (/** @type {'passed' | 'failed' | 'skipped'} */ key) => parts.reduce((total, part) => total + part[key], 0);
console.log('\n— summary —');
for (const part of parts) {
  const skipped = part.skipped > 0 ? `, ${part.skipped} skipped` : '';
  console.log(`${part.failed === 0 ? '✓' : '✗'} ${part.title}: ${part.passed} passed, ${part.failed} failed${skipped} in ${duration(part.milliseconds)}`);
}
for (const failure of parts.flatMap((part) => part.failures)) console.log(`  ✗ ${failure}`);
console.log(`took ${duration(Date.now() - started)}`);
if (sum('failed') > 0 || sum('passed') === 0) process.exitCode = 1;
console.log(`${sum('passed')} passed, ${sum('failed')} failed`);
