/** What of this host changes the results of ONNX Runtime: its version, the processor's kind and its vector instructions. */
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {cpus} from 'node:os';

/** Flags by which ONNX Runtime's kernels choose their code on x86 and Arm. */
const flags = ['fma', 'avx', 'avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'amx_tile', 'asimd', 'asimddp', 'i8mm', 'sve', 'bf16'];

function processor(): string {
  try {
    const found = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]?.trim().split(/\s+/);
    if (found) return flags.filter(flag => found.includes(flag)).join('+');
  } catch {
    // Not Linux: the model's name stands for its instructions.
  }
  return (cpus()[0]?.model ?? 'unknown').trim().replace(/\s+/g, '-');
}

/** Read from the package, because loading the library itself would cost the server's start some 100 ms. */
function version(): string {
  return (createRequire(import.meta.url)('onnxruntime-node/package.json') as {version: string}).version;
}

/** For example `onnxruntime-node 1.30.0 cpu x64 fma+avx+avx2`. */
export const hostFingerprint = (): string => `onnxruntime-node ${version()} cpu ${process.arch} ${processor()}`.trim();
