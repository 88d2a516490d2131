/**
 * The points between two writes at which a process may die. Tests kill or stop the process at each, by name; in service a boundary
 * is a look at one variable.
 */
export const boundaries = [
  'step claimed', 'step begun', 'files staged', 'files moved', 'before commit', 'after commit', 'manifest written', 'step failed', 'model stored', 'schedule decided',
  'snapshots expired', 'leftovers removed', 'files rewritten', 'rows erased', 'delivery claimed', 'delivery sent',
  'batch taken', 'batch prepared', 'batch committed', 'batch published', 'outputs scored',
] as const;

export type Boundary = (typeof boundaries)[number];

/** `MILLRACE_DIE_AT="files moved"` or `"files moved#2"` (the second time): SIGKILL; with `MILLRACE_DIE_BY=SIGSTOP`, a pause. */
const [wanted, time = '1'] = (process.env.MILLRACE_DIE_AT ?? '').split('#');
let passed = 0;

export function boundary(name: Boundary): void {
  if (name !== wanted || ++passed !== Number(time)) return;
  process.kill(process.pid, (process.env.MILLRACE_DIE_BY as NodeJS.Signals | undefined) ?? 'SIGKILL');
}
