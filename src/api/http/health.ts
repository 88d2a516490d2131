import type {FastifyInstance} from 'fastify';
import type {LifecycleState} from '../../core/lifecycle.ts';

/** Whether one thing that requests need is there: throws, or does not end in time, when it is not. */
export type HealthCheck = (signal: AbortSignal) => Promise<unknown>;

export interface Health {
  /** How far the process is: not ready unless `ready`. */
  state(): LifecycleState;
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** Default 2. */
  readonly checkSeconds?: number;
}

export interface Readiness {
  readonly status: 'ready' | 'not ready';
  readonly state: LifecycleState;
  readonly checks: Readonly<Record<string, {readonly ok: boolean; readonly milliseconds: number; readonly reason?: string}>>;
}

/**
 * `/health/live`: the process answers. `/health/ready`: 200 when it can do its work, else 503 with which check failed.
 * Askers at the same time share one round of checks.
 */
export function mountHealth(app: FastifyInstance, health: Health): void {
  let round: Promise<Readiness> | undefined;
  app.get('/health/live', {config: {public: true}}, () => ({status: 'live'}));
  app.get('/health/ready', {config: {public: true}}, async (_request, reply) => {
    round ??= readiness(health).finally(() => (round = undefined));
    const answer = await round;
    return reply.header('cache-control', 'no-store').code(answer.status === 'ready' ? 200 : 503).send(answer);
  });
}

export async function readiness({state, checks, checkSeconds = 2}: Health): Promise<Readiness> {
  const results = await Promise.all(Object.entries(checks).map(async ([name, check]) => {
    const began = performance.now();
    const abort = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`no answer after ${checkSeconds} s`));
        abort.abort();
      }, checkSeconds * 1000);
    });
    const reason = await Promise.race([(async () => check(abort.signal))(), late]).then(() => undefined, (error: unknown) => (error instanceof Error ? error.message : String(error)));
    clearTimeout(timer);
    return [name, {ok: reason === undefined, milliseconds: Math.round(performance.now() - began), ...(reason === undefined ? {} : {reason})}] as const;
  }));
  const now = state();
  return {status: now === 'ready' && results.every(([, {ok}]) => ok) ? 'ready' : 'not ready', state: now, checks: Object.fromEntries(results)};
}
