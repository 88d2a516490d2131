import {existsSync, realpathSync} from 'node:fs';
import {glob, realpath, stat} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {basename, isAbsolute, join, relative, resolve, sep} from 'node:path';
import {MillraceError} from '../../core/errors.ts';
import {sha256OfFiles} from '../../core/sha256.ts';
import {openFiles} from '../raw-files.ts';
import type {FoundFile, OpenOptions} from '../raw-files.ts';
import type {SourceKind} from '../source.ts';

export interface FileSourceOptions extends OpenOptions {
  /** What relative paths start from; its files may be read. */
  readonly projectFolder: string;
  /** Other folders whose files may be read. */
  readonly roots: readonly string[];
}

/** Files by path, glob, or `package:NAME/FILE`; after symbolic links are followed, all must lie in the allowed folders. */
export function createFileSource(options: FileSourceOptions): SourceKind {
  return {
    kind: 'file',
    accepts: spec => spec.path !== undefined,
    async open(spec, scratch, only) {
      const found = await find(spec.path!, options);
      const chosen = only ? found.filter(file => only.has(file.name)) : found;
      const gone = only && [...only].find(name => !found.some(file => file.name === name));
      if (gone !== undefined) throw new MillraceError('SOURCE_CHANGED', {path: gone});
      return openFiles(chosen, spec, scratch, options);
    },
    async list(spec) {
      const found = await find(spec.path!, options).catch((error: unknown) => {
        if (error instanceof MillraceError && error.code === 'SOURCE_NOT_FOUND') return [];
        throw error;
      });
      const [hashes, stats] = await Promise.all([sha256OfFiles(found.map(file => file.path)), Promise.all(found.map(file => stat(file.path)))]);
      return found.map(({name}, index) => ({name, sha256: hashes[index]!, bytes: stats[index]!.size}));
    },
  };
}

async function find(path: string, options: FileSourceOptions): Promise<FoundFile[]> {
  const inPackage = /^package:((?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9~-][\w.~-]*)\/(.+)$/i.exec(path);
  if (!inPackage) return match(path, options.projectFolder, [options.projectFolder, ...options.roots], path, '');
  const [, name, pattern] = inPackage;
  const folder = packageFolders(options.projectFolder).map(parent => join(parent, name!)).find(candidate => existsSync(candidate));
  if (!folder) throw new MillraceError('SOURCE_NOT_FOUND', {path});
  return match(pattern!, folder, [folder], path, `package:${name}/`);
}

async function match(pattern: string, from: string, roots: readonly string[], said: string, prefix: string): Promise<FoundFile[]> {
  const paths: string[] = [];
  // A name may itself contain *, ? or brackets, so what is there under exactly this name comes first.
  if (await isFile(resolve(from, pattern))) paths.push(resolve(from, pattern));
  else if (/[*?{[]/.test(pattern)) {
    for await (const path of glob(pattern, {cwd: from, exclude: name => name === 'node_modules' || name === '.git'})) {
      if (await isFile(resolve(from, path))) paths.push(resolve(from, path));
    }
  }
  const real = await Promise.all(roots.map(root => realpath(root).catch(() => root)));
  if (paths.length === 0) {
    // Whether something exists outside is told to nobody.
    const start = resolve(from, pattern.split(/[*?{[]/)[0]!);
    if (!isInside(start, [...real, ...roots])) throw new MillraceError('SOURCE_OUTSIDE_ROOTS', {path: said});
    throw new MillraceError('SOURCE_NOT_FOUND', {path: said});
  }
  return Promise.all(
    paths.sort().map(async path => {
      const target = await realpath(path);
      if (!isInside(target, real)) throw new MillraceError('SOURCE_OUTSIDE_ROOTS', {path: said});
      const short = relative(from, path);
      const outside = short.startsWith('..') || isAbsolute(short);
      return {name: `${prefix}${(outside ? path : short).replaceAll(sep, '/')}`, path: target, fileName: basename(path)};
    }),
  );
}

const isFile = async (path: string): Promise<boolean> => (await stat(path).catch(() => null))?.isFile() === true;

const isInside = (path: string, roots: readonly string[]): boolean => roots.some(root => path === root || path.startsWith(root.endsWith(sep) ? root : root + sep));

/**
 * The folders that may hold an npm package, nearest first, by their real paths: those seen from the project, then those seen from
 * Millrace itself. An engine needs to be allowed to read them.
 */
export function packageFolders(projectFolder: string): string[] {
  const seenFrom = (file: string) => createRequire(file).resolve.paths('a-package') ?? [];
  const folders = [...seenFrom(join(resolve(projectFolder), 'package.json')), ...seenFrom(import.meta.url)];
  return [...new Set(folders.filter(folder => existsSync(folder)).map(folder => realpathSync(folder)))];
}
