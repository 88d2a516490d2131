import {createFileSource} from './file/file-source.ts';
import type {FileSourceOptions} from './file/file-source.ts';
import {createHiveSource} from './hive/hive-source.ts';
import type {HiveSourceOptions} from './hive/hive-source.ts';
import type {SourceKind} from './source.ts';
import {createUploadSource} from './upload/upload-source.ts';
import type {UploadSourceOptions} from './upload/upload-source.ts';

/** Every kind of source there is. */
export const sourceKinds = (options: FileSourceOptions & UploadSourceOptions & HiveSourceOptions): readonly SourceKind[] => [
  createFileSource(options), // data that lies in the project, in other allowed folders, or in an npm package
  createUploadSource(options), // data that came over HTTP
  createHiveSource(options), // tables of a warehouse that others have made
];
