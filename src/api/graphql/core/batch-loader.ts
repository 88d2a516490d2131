/**
 * Loads by key, many keys by one call: keys asked for while the same round of resolvers runs are collected first.
 *
 * @param keep false: an answer is given to those who asked in its round and then forgotten, for contexts that live long.
 */
export class BatchLoader<K, V> {
  private readonly known = new Map<K, Promise<V | undefined>>();
  private waiting: K[] = [];
  private round: Promise<ReadonlyMap<K, V>> | null = null;

  constructor(
    private readonly loadMany: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>,
    private readonly keep = true,
  ) {}

  /** Undefined when there is no such thing. Rejects when its round failed. */
  load(key: K): Promise<V | undefined> {
    let answer = this.known.get(key);
    if (!answer) {
      this.waiting.push(key);
      this.round ??= this.begin();
      answer = this.round.then(found => found.get(key));
      this.known.set(key, answer);
    }
    return answer;
  }

  private async begin(): Promise<ReadonlyMap<K, V>> {
    // Resolvers continue in microtasks; the next phase of the event loop comes after all of those.
    await new Promise(setImmediate);
    const keys = this.waiting;
    this.waiting = [];
    this.round = null;
    if (!this.keep) this.known.clear();
    return this.loadMany(keys);
  }
}
