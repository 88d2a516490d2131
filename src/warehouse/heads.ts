import type {Catalog} from '../catalog/catalog.ts';
import type {SnapshotRecord} from './warehouse.ts';

/**
 * The heads of all datasets on `main`, kept between requests: one consistent set, as new as the call.
 *
 * The owner of an embedded catalog hears of every commit; where other processes commit too, a number tells whether the copy still
 * stands, which is one small statement instead of all the heads with their schemas and profiles.
 */
export class Heads {
  private copy: {readonly count: bigint; readonly heads: ReadonlyMap<string, SnapshotRecord>} | undefined;
  private reading: Promise<ReadonlyMap<string, SnapshotRecord>> | undefined;
  /** Commits heard of. What was read before the last of them is not kept. */
  private heard = 0;
  private readonly quiet: () => void;

  constructor(
    private readonly catalog: Catalog,
    private readonly alone: boolean,
  ) {
    this.quiet = catalog.listen('data', () => {
      this.heard++;
      this.copy = undefined;
      this.reading = undefined;
    });
  }

  async current(): Promise<ReadonlyMap<string, SnapshotRecord>> {
    if (this.copy) {
      if (this.alone) return this.copy.heads;
      const count = await this.catalog.read(stores => stores.changes.count('data'));
      if (count === this.copy?.count) return this.copy.heads;
    }
    const reading = (this.reading ??= this.read());
    try {
      return await reading;
    } finally {
      if (this.reading === reading) this.reading = undefined;
    }
  }

  private async read(): Promise<ReadonlyMap<string, SnapshotRecord>> {
    const heard = this.heard;
    // The number first: heads that are newer than it only mean that they are read once more.
    const [count, heads] = await this.catalog.read(async stores => [await stores.changes.count('data'), await stores.datasets.heads('main')] as const);
    if (heard === this.heard) this.copy = {count, heads};
    return heads;
  }

  stop(): void {
    this.quiet();
  }
}
