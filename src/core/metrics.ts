/** What Prometheus reads at /metrics. A registry of its own a process, never prom-client's global one. */
import {Counter, Gauge, Histogram, Registry} from 'prom-client';
import {monitorEventLoop} from './event-loop.ts';

export type {Counter, Gauge, Histogram} from 'prom-client';

interface Definition<L extends string> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

/** Seconds, from one millisecond to a minute: requests and queries. */
const requestBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
/** Seconds, to two hours: runs and steps. */
const runBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 7200];

export class Metrics {
  readonly #registry = new Registry();
  readonly #eventLoop = monitorEventLoop();

  /** Label `status` is a run's last one. Seconds are from start to end. */
  readonly runs = this.histogram({name: 'millrace_run_seconds', help: 'Runs that ended', labels: ['pipeline', 'status'], buckets: runBuckets});
  readonly steps = this.histogram({name: 'millrace_step_seconds', help: 'Steps that ended', labels: ['kind', 'status'], buckets: runBuckets});
  readonly rowsWritten = this.counter({name: 'millrace_rows_written_total', help: 'Rows committed to datasets', labels: ['dataset']});
  /** Label `kind`: query, mutation or subscription; `outcome`: ok, or the code of the first error. */
  readonly queries = this.histogram({name: 'millrace_graphql_seconds', help: 'GraphQL operations', labels: ['kind', 'outcome'], buckets: requestBuckets});
  readonly subscriptions = this.gauge({name: 'millrace_graphql_subscriptions', help: 'Subscriptions that are open'});
  readonly predictions = this.counter({name: 'millrace_predictions_total', help: 'Rows scored', labels: ['model', 'version']});
  /** Label `route` is the pattern, never the path asked for, which could be anything. */
  readonly requests = this.histogram({name: 'millrace_http_seconds', help: 'HTTP requests', labels: ['method', 'route', 'status'], buckets: requestBuckets});
  readonly requestsInFlight = this.gauge({name: 'millrace_http_in_flight', help: 'HTTP requests being answered'});
  /** Label `outcome`: delivered, failed (it is tried again) or dead. */
  readonly webhookTries = this.counter({name: 'millrace_webhook_tries_total', help: 'Deliveries of webhooks that were tried', labels: ['outcome']});
  readonly uploadedBytes = this.counter({name: 'millrace_uploaded_bytes_total', help: 'Bytes of uploads that were kept'});

  constructor(build: {version: string}) {
    const eventLoop = this.#eventLoop;
    this.gauge({name: 'millrace_build_info', help: 'Always 1', labels: ['version', 'node']}).set({version: build.version, node: process.versions.node}, 1);
    this.gauge({name: 'millrace_event_loop_lag_seconds', help: 'How long callbacks waited since the last reading', labels: ['quantile']}, (gauge) => {
      gauge.set({quantile: '0.5'}, eventLoop.percentile(50) / 1000);
      gauge.set({quantile: '0.99'}, eventLoop.percentile(99) / 1000);
      gauge.set({quantile: '1'}, eventLoop.longest() / 1000);
      eventLoop.reset();
    });
    this.gauge({name: 'process_resident_memory_bytes', help: 'Memory of the process'}, (gauge) => gauge.set(process.memoryUsage.rss()));
    this.gauge({name: 'process_cpu_seconds_total', help: 'Processor time of the process'}, (gauge) => {
      const {user, system} = process.cpuUsage();
      gauge.set((user + system) / 1e6);
    });
    this.gauge({name: 'process_start_time_seconds', help: 'When the process began, since 1970'}).set(performance.timeOrigin / 1000);
  }

  /** For parts with measurements of their own; a name can be taken once. */
  counter<L extends string = never>({name, help, labels = []}: Definition<L>): Counter<L> {
    return new Counter({name, help, labelNames: labels, registers: [this.#registry]});
  }

  /** @param read sets the gauge whenever it is read. */
  gauge<L extends string = never>({name, help, labels = []}: Definition<L>, read?: (gauge: Gauge<L>) => void): Gauge<L> {
    const collect = read && function (this: Gauge<L>) {
      read(this);
    };
    return new Gauge({name, help, labelNames: labels, registers: [this.#registry], ...(collect ? {collect} : {})});
  }

  histogram<L extends string = never>({name, help, labels = [], buckets = requestBuckets}: Definition<L> & {readonly buckets?: number[]}): Histogram<L> {
    return new Histogram({name, help, labelNames: labels, buckets, registers: [this.#registry]});
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus's text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  stop(): void {
    this.#eventLoop.stop();
    this.#registry.clear();
  }
}
