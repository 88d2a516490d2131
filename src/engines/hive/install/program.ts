import {spawn} from 'node:child_process';

/** Lines of a failed program that are shown. */
const shown = 20;

/** Runs a program to its end. @throws Error with the last lines it wrote */
export async function run(command: string, args: readonly string[], options: {readonly signal?: AbortSignal; readonly onLine?: (line: string) => void} = {}): Promise<void> {
  const {promise, resolve, reject} = Promise.withResolvers<void>();
  const child = spawn(command, args, {stdio: ['ignore', 'pipe', 'pipe'], signal: options.signal});
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      const written = text.split('\n').filter(line => line.trim() !== '');
      lines.push(...written);
      lines.splice(0, lines.length - shown);
      for (const line of written) options.onLine?.(line);
    });
  }
  child.on('error', error => reject((error as NodeJS.ErrnoException).code === 'ENOENT' ? new Error(`${command} is not installed`) : error));
  child.on('close', code => (code === 0 ? resolve() : reject(new Error(`${command} failed: ${lines.join('\n')}`))));
  return promise;
}
