/** Arrow's IPC format, written piece by piece. */
import {RecordBatchFileWriter, RecordBatchStreamWriter} from 'apache-arrow';
import type {RecordBatchWriter} from 'apache-arrow';

export type ArrowForm = 'stream' | 'file';

/** A writer of Arrow and what it wrote since it was last asked. The end of a stream is written by `finish` alone: one that breaks off has none. */
export function encoder(form: ArrowForm): {readonly writer: RecordBatchWriter; readonly written: () => Uint8Array} {
  const writer = form === 'stream' ? new RecordBatchStreamWriter() : new RecordBatchFileWriter();
  const parts: Uint8Array[] = [];
  // The writer's own queue has no way to take what is there now.
  Object.assign(writer, {
    _write(this: {_position: number}, chunk: ArrayBufferView) {
      parts.push(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
      this._position += chunk.byteLength;
      return this;
    },
  });
  return {writer, written: () => Buffer.concat(parts.splice(0))};
}
