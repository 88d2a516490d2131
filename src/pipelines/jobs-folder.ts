import {fork} from 'node:child_process';
import {readFile, readdir, stat} from 'node:fs/promises';
import {join} from 'node:path';
import {MillraceError, asMillraceError} from '../core/errors.ts';
import type {Logger} from '../core/logging.ts';
import {readContractDocument} from '../schemas/contract-document.ts';
import type {Contract} from '../schemas/contract.ts';

export interface JobsFile {
  /** Relative to the jobs folder. */
  readonly file: string;
  readonly definition: unknown;
}

/** `<dataset>.contract.yaml` (or .yml, .json) beside the jobs files. */
export interface ContractFile {
  readonly file: string;
  readonly dataset: string;
  readonly contract: Contract;
}

/** What the jobs folder says that it did not say before. */
export interface JobsChange {
  readonly jobs: readonly JobsFile[];
  readonly contracts: readonly ContractFile[];
  /** All jobs files there are; null where they are the same as before, or there is no folder. */
  readonly files: readonly string[] | null;
}

/** A jobs file that could not be loaded or whose definition was refused; its last good definition stays in use. */
export interface JobsProblem {
  readonly file: string;
  readonly error: MillraceError;
}

const contractName = /^([^.]+)\.contract\.(?:ya?ml|json)$/;

export const isJobsFile = (name: string): boolean => /\.(m?ts|m?js)$/.test(name) && !name.endsWith('.d.ts');

/** Jobs files that are loaded at once, each by a process. */
const filesAtOnce = 4;

/** The jobs folder: `*.ts`, `*.mts` and `*.js` files that yield pipelines, and contracts. Files are loaded again when they, or files beside them, changed. */
export class JobsFolder {
  private readonly loaded = new Map<string, string>();
  private readonly problemsByFile = new Map<string, MillraceError>();
  private names: string | undefined;
  private reading: Promise<JobsChange> | undefined;

  constructor(
    private readonly folder: string,
    private readonly seconds: number,
    private readonly logger: Logger,
  ) {}

  get problems(): readonly JobsProblem[] {
    return [...this.problemsByFile].map(([file, error]) => ({file, error}));
  }

  /** What changed since the last call. */
  changed(): Promise<JobsChange> {
    this.reading ??= this.read().finally(() => {
      this.reading = undefined;
    });
    return this.reading;
  }

  failed(file: string, error: unknown): void {
    const known = asMillraceError(error);
    this.problemsByFile.set(file, known);
    this.logger.error({file, code: known.code, hint: known.hint}, known.message);
  }

  private async read(): Promise<JobsChange> {
    const listed = await listFiles(this.folder);
    // What a jobs file reads beside itself (an SQL file) counts as part of it.
    const states = await Promise.all((listed ?? []).map(async name => ifThere(stat(join(this.folder, name)).then(({mtimeMs}) => ({name, mtimeMs})))));
    const there = states.filter(state => state !== null);
    const state = there.map(({name, mtimeMs}) => `${name} ${mtimeMs}`).join('\n');
    const files = there.map(({name}) => name).filter(isJobsFile);
    const contractFiles = there.map(({name}) => name).filter(name => contractName.test(name));
    const all = [...files, ...contractFiles];
    const changed = files.filter(file => this.loaded.get(file) !== state);
    const contracts = await this.readContracts(contractFiles);
    for (const file of changed) this.loaded.set(file, state);
    for (const file of this.loaded.keys()) {
      if (all.includes(file)) continue;
      this.loaded.delete(file);
      this.problemsByFile.delete(file);
    }
    // Some at once: one that never returns holds up one place, until its time is over.
    const definitions = new Map<string, unknown[]>();
    const waiting = [...changed];
    await Promise.all(Array.from({length: filesAtOnce}, async () => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) definitions.set(file, await this.load(file));
    }));
    const before = this.names;
    this.names = files.join('\n');
    return {jobs: changed.flatMap(file => definitions.get(file)!.map(definition => ({file, definition}))), contracts, files: listed === null || before === this.names ? null : files};
  }

  private async readContracts(files: readonly string[]): Promise<ContractFile[]> {
    const read: ContractFile[] = [];
    for (const file of files) {
      const text = await ifThere(readFile(join(this.folder, file), 'utf8'));
      if (text === null || this.loaded.get(file) === text) continue;
      this.loaded.set(file, text);
      const dataset = contractName.exec(file)![1]!;
      try {
        read.push({file, dataset, contract: readContractDocument(dataset, text)});
        this.problemsByFile.delete(file);
      } catch (error) {
        this.failed(file, error);
      }
    }
    return read;
  }

  private async load(file: string): Promise<unknown[]> {
    try {
      const definitions = await loadJobsFile(join(this.folder, file), file, this.seconds);
      this.problemsByFile.delete(file);
      return definitions;
    } catch (error) {
      this.failed(file, error);
      return [];
    }
  }
}

/** Null: there is no such folder. */
async function listFiles(folder: string): Promise<string[] | null> {
  const entries = await ifThere(readdir(folder, {withFileTypes: true}));
  return entries?.filter(entry => entry.isFile()).map(entry => entry.name).sort() ?? null;
}

/** Null where what is read is gone: a file may be removed at any moment. */
const ifThere = <T>(reading: Promise<T>): Promise<T | null> => reading.catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT') return null;
  throw error;
});

/** Runs a jobs file in a process of its own, which cannot harm or hold up this one. @throws JOBS_FILE_FAILED, JOBS_FILE_TIMEOUT */
export function loadJobsFile(path: string, file: string, seconds: number): Promise<unknown[]> {
  const loader = new URL(`./load-jobs-file${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
  return new Promise((resolve, reject) => {
    const child = fork(loader, [path], {stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: ['--disable-warning=ExperimentalWarning'], env: {PATH: process.env.PATH}});
    let errors = '';
    child.stderr!.on('data', piece => {
      if (errors.length < 4_000) errors += piece;
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new MillraceError('JOBS_FILE_TIMEOUT', {file, seconds}));
    }, seconds * 1_000);
    child.once('message', (message: {definitions?: unknown[]; error?: string}) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      if (message.definitions) resolve(message.definitions);
      else reject(new MillraceError('JOBS_FILE_FAILED', {file, reason: message.error}));
    });
    child.once('exit', () => {
      clearTimeout(timer);
      reject(new MillraceError('JOBS_FILE_FAILED', {file, reason: errors.trim().split('\n').slice(0, 8).join('\n') || 'it ended without yielding a pipeline'}));
    });
    child.once('error', error => {
      clearTimeout(timer);
      reject(new MillraceError('JOBS_FILE_FAILED', {file, reason: error.message}));
    });
  });
}
