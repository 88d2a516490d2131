import type {Graph} from './graph.ts';
import type {GraphqlServices} from './services.ts';

/** Milliseconds between looks at what there is without a wake-up: one may be lost. */
const backstop = 5_000;

/** What a listener hears of: a new snapshot of a dataset ('' where that may have been missed), or another graph. */
export type Change = {readonly kind: 'commit'; readonly dataset: string} | {readonly kind: 'swap'};

/** New snapshots, of this process and others, told to whoever follows data. It hears of them only while somebody listens. */
export class Commits {
  private readonly listeners = new Set<(change: Change) => void>();
  private quiet: (() => void) | undefined;

  constructor(
    private readonly services: Pick<GraphqlServices, 'graphModel' | 'onCommit'>,
    private readonly graph: Graph,
  ) {}

  /** Answers how to stop. */
  listen(listener: (change: Change) => void): () => void {
    this.listeners.add(listener);
    this.quiet ??= this.begin();
    return () => {
      if (!this.listeners.delete(listener) || this.listeners.size > 0) return;
      this.quiet?.();
      this.quiet = undefined;
    };
  }

  private begin(): () => void {
    const {graphModel, onCommit} = this.services;
    const tell = (change: Change) => this.listeners.forEach(listener => listener(change));
    // The graph first: a commit may change what a query means. Also others, who keep heads, hear of the commit before.
    const stop = onCommit?.(dataset => void graphModel.refresh().finally(() => tell({kind: 'commit', dataset})));
    const stopSwaps = this.graph.onSwap(() => tell({kind: 'swap'}));
    const timer = setInterval(() => tell({kind: 'commit', dataset: ''}), backstop).unref();
    return () => {
      stop?.();
      stopSwaps();
      clearInterval(timer);
    };
  }
}
