import type {Catalog} from '../catalog/catalog.ts';
import type {SnapshotRecord} from './warehouse.ts';

type HeadMap = ReadonlyMap<string, SnapshotRecord>;

/** Datasets that changed, past which all heads are read instead of theirs alone. */
const most = 20;

/**
 * The heads of all datasets on `main`, kept between requests: one consistent set, as new as the call.
 *
 * The owner of an embedded catalog hears of every commit, and reads the heads that moved; where other processes commit too, a number
 * tells whether the copy still stands, which is one small statement instead of all the heads with their schemas and profiles.
 */
export class Heads {
  private copy: {readonly count: bigint; readonly heads: HeadMap} | undefined;
  /** Datasets whose heads moved since the copy was made. */
  private readonly moved = new Set<string>();
  private reading: Promise<HeadMap> | undefined;
  /** Commits heard of. What was read before the last of them is not kept. */
  private heard = 0;
  private readonly quiet: () => void;

  constructor(
    private readonly catalog: Catalog,
    private readonly alone: boolean,
  ) {
    this.quiet = catalog.listen('data', dataset => {
      this.heard++;
      this.moved.add(dataset);
      this.reading = undefined;
    });
  }

  async current(): Promise<HeadMap> {
    if (this.copy && this.moved.size === 0) {
      if (this.alone) return this.copy.heads;
      const count = await this.catalog.read(stores => stores.changes.count('data'));
      if (count === this.copy?.count && this.moved.size === 0) return this.copy.heads;
    }
    const reading = (this.reading ??= this.read());
    try {
      return await reading;
    } finally {
      if (this.reading === reading) this.reading = undefined;
    }
  }

  private async read(): Promise<HeadMap> {
    const {heard, copy} = this;
    const moved = [...this.moved];
    // The number first: heads that are newer than it only mean that they are read once more.
    const count = this.alone ? 0n : await this.catalog.read(stores => stores.changes.count('data'));
    const heads = this.alone && copy && moved.length <= most ? await this.patched(copy.heads, moved) : await this.catalog.read(stores => stores.datasets.heads('main'));
    if (heard === this.heard) {
      this.copy = {count, heads};
      this.moved.clear();
    }
    return heads;
  }

  private async patched(heads: HeadMap, moved: readonly string[]): Promise<HeadMap> {
    const patched = new Map(heads);
    for (const dataset of moved) {
      const head = await this.catalog.read(stores => stores.datasets.head('main', dataset));
      if (head) patched.set(dataset, head);
      else patched.delete(dataset);
    }
    return patched;
  }

  stop(): void {
    this.quiet();
  }
}
