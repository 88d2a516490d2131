import {MillraceError} from '../../core/errors.ts';
import type {Graphql} from './server.ts';
import type {GraphqlServices} from './services.ts';

/** The graph as a part of the process: it is made when it starts, from what is in the catalog then, and its packages are loaded only then. */
export class GraphqlPart {
  private graphql: Graphql | undefined;

  constructor(private readonly services: GraphqlServices) {}

  /** @throws SHUTTING_DOWN before the start and after the end */
  get current(): Graphql {
    if (!this.graphql) throw new MillraceError('SHUTTING_DOWN');
    return this.graphql;
  }

  /** Loads the packages, which takes most of the time of a start, while other parts start. A failure shows when the part starts. */
  preload(): void {
    import('./server.ts').catch(() => undefined);
  }

  async start(): Promise<void> {
    const {createGraphql} = await import('./server.ts');
    this.graphql = await createGraphql(this.services);
  }

  async stop(): Promise<void> {
    await this.graphql?.stop();
    this.graphql = undefined;
  }
}
