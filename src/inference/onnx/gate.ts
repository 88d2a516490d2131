/** The gate's outside: starts the process that tries a model, and ends it when it takes too long. */
import {fork} from 'node:child_process';
import {lstat} from 'node:fs/promises';
import {join} from 'node:path';
import {MillraceError} from '../../core/errors.ts';
import type {Artifact, Examples} from '../runtime.ts';
import {entryBeside} from './entry.ts';
import type {GateAnswer, GateFindings, GateRequest} from './gate-process.ts';

export interface GateOptions {
  readonly examples?: Examples;
  /** Seconds until the trial is killed. */
  readonly trialSeconds: number;
  /** Bytes that all files of the artifact may have together. */
  readonly maxBytes: number;
}

/** Checks an artifact and tries it in a process of its own. @throws ARTIFACT_*, PARITY_FAILED, INPUT_INVALID */
export async function passGate(artifact: Artifact, {examples, trialSeconds, maxBytes}: GateOptions): Promise<GateFindings> {
  await checkFiles(artifact, maxBytes);
  const answer = await tryInProcess({artifact, examples, lifeSeconds: trialSeconds + LATE_SECONDS}, trialSeconds);
  if ('failure' in answer) throw new MillraceError(answer.failure.code, answer.failure.details);
  return answer.report;
}

async function checkFiles({folder, model, files}: Artifact, limit: number): Promise<void> {
  let bytes = 0;
  for (const name of new Set([model, ...files.map(file => file.name)])) {
    const found = await lstat(join(folder, name)).catch(() => undefined);
    if (!found?.isFile()) throw new MillraceError('ARTIFACT_NOT_ONNX', {reason: `it has no file '${name}'`});
    bytes += found.size;
  }
  if (bytes > limit) throw new MillraceError('ARTIFACT_TOO_LARGE', {bytes, limit});
}

/** How much later than by us a trial ends itself: that is for when we are gone. */
const LATE_SECONDS = 5;

/** Memory of JavaScript the trial may take, in MB; ONNX Runtime's own comes on top. */
const HEAP = 1024;

function tryInProcess(request: GateRequest, seconds: number): Promise<GateAnswer> {
  return new Promise((resolve, reject) => {
    // An almost empty environment: secrets of the server are no business of the process that opens strangers' files.
    const {PATH, LD_LIBRARY_PATH, SystemRoot} = process.env;
    const child = fork(entryBeside('gate-process'), {
      execArgv: [`--max-old-space-size=${HEAP}`],
      env: {PATH, LD_LIBRARY_PATH, SystemRoot, NODE_NO_WARNINGS: '1'},
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let answer: GateAnswer | undefined;
    let late = false;
    let complaint = '';
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, seconds * 1000);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(-2000);
    });
    child.once('message', message => {
      answer = message as GateAnswer;
    });
    child.once('error', error => {
      clearTimeout(timer);
      reject(new MillraceError('ARTIFACT_CRASHED', {reason: error.message}, {cause: error}));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (answer) resolve(answer);
      else if (late) reject(new MillraceError('ARTIFACT_TIMEOUT', {seconds}));
      else reject(new MillraceError('ARTIFACT_CRASHED', {reason: complaint.trim().split('\n').at(-1) || `its process ended with ${signal ?? code}`}));
    });
    child.send(request, error => {
      // A child that died at once is reported by 'close'.
      void error;
    });
  });
}
