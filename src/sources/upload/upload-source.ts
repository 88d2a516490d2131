import {MillraceError} from '../../core/errors.ts';
import {openFiles} from '../raw-files.ts';
import type {OpenOptions} from '../raw-files.ts';
import type {SourceKind} from '../source.ts';

export interface UploadSourceOptions extends OpenOptions {
  /** The upload of this id: the name the user's file had, and where its bytes are; null when there is none. */
  readonly findUpload: (id: string) => Promise<{name: string; path: string} | null>;
}

/** A file that was sent to POST /uploads. */
export function createUploadSource(options: UploadSourceOptions): SourceKind {
  return {
    kind: 'upload',
    accepts: spec => spec.upload !== undefined,
    async open(spec, scratch) {
      const upload = await options.findUpload(spec.upload!);
      if (!upload) throw new MillraceError('UPLOAD_NOT_FOUND', {id: spec.upload});
      return openFiles([{name: `upload:${upload.name}`, path: upload.path, fileName: upload.name}], spec, scratch, options);
    },
  };
}
