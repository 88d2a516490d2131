/** Programs from outside the package registry that some slow tests need. What cannot be had is said by the test that needs it. */
import {createHash} from 'node:crypto';
import {existsSync, readFileSync, writeFileSync} from 'node:fs';
import {homedir} from 'node:os';
import {delimiter, join} from 'node:path';
import {ensureBuilt} from './build.mjs';
import {node24} from './node.mjs';
import {root, run, withProgress} from './project.mjs';

const onPath = (/** @type {string} */ name) =>
  (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name)).find((path) => existsSync(path));

const isRoot = process.getuid?.() === 0;

/** Installs Debian packages, where that is possible. */
async function installPackages(/** @type {string[]} */ names) {
  if (!isRoot || onPath('apt-get') === undefined) return;
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive'};
  const install = ['install', '-y', '--no-install-recommends', ...names];
  // The lists of a fresh container are empty, and those of an old one are stale.
  if (!(await run('apt-get', install, {env})).ok) {
    await run('apt-get', ['update'], {env});
    await run('apt-get', install, {env});
  }
}

const browsers = ['chromium', 'chromium-browser', 'google-chrome'];

async function ensureChromium() {
  if (browsers.some(onPath)) return;
  await withProgress('Installing Chromium for the browser tests', () => installPackages(['chromium']));
}

/** The folder of the project's Python packages. */
const environment = join(root, '.venv');
const requirements = join(root, 'jobs/models/late_arrival/requirements.txt');

async function ensurePython() {
  if (!existsSync(requirements)) return;
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const stamp = join(environment, '.millrace');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await withProgress('Installing Python packages for the training test', async () => {
    const python = join(environment, 'bin/python');
    /** @type {[string, string[]][]} */
    let commands = [
      ['uv', ['venv', '--clear', environment]],
      ['uv', ['pip', 'install', '--python', python, '-r', requirements]],
    ];
    if (onPath('uv') === undefined) {
      if (!(await run('python3', ['-c', 'import ensurepip, venv'])).ok) await installPackages(['python3', 'python3-venv']);
      commands = [
        ['python3', ['-m', 'venv', '--clear', environment]],
        [python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]],
      ];
    }
    for (const [command, args] of commands) {
      const {ok, output} = await run(command, args);
      if (!ok) throw new Error(output);
    }
    writeFileSync(stamp, wanted);
  });
}

/** Spark and its like, where test/support looks for them: outside the project, so that each is downloaded once for a machine. */
async function ensureEngines() {
  if (onPath('java') === undefined && !process.env.JAVA_HOME) await withProgress('Installing Java for the engine tests', () => installPackages(['openjdk-17-jre-headless']));
  if (onPath('uv') === undefined && !(await run('python3', ['-m', 'pip', '--version'])).ok) await installPackages(['python3', 'python3-pip']);
  await ensureBuilt();
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'millrace');
  for (const engine of ['spark']) {
    if (existsSync(join(cache, 'engines', engine, '.millrace'))) continue;
    await withProgress(`Installing ${engine} for the engine tests`, async () => {
      const {ok, output} = await run(node24(), [join(root, 'bin/millrace.mjs'), 'engines', 'install', engine, '--data', cache]);
      if (!ok) throw new Error(output);
    });
  }
}

/** Installs the tools; a failure is shown and left to the tests that need the tool. */
export async function ensureTools() {
  for (const ensure of [ensureChromium, ensurePython, ensureEngines]) {
    try {
      await ensure();
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
    }
  }
}
