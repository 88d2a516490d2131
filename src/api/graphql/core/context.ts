import type {Viewer} from '../../../core/viewer.ts';
import type {GraphqlServices} from '../services.ts';
import type {Loaders} from './loaders.ts';
import type {VerifiedReceipt} from '../receipt.ts';

/** What core resolvers are given: one for each operation. */
export interface CoreContext {
  readonly viewer: Viewer;
  readonly services: GraphqlServices;
  readonly loaders: Loaders;
  /** Aborts when the request is over or its time is. */
  readonly signal?: AbortSignal;
  /** Asks the question of a receipt again. @throws RECEIPT_INVALID, RECEIPT_DIFFERS */
  verifyReceipt(token: string): Promise<VerifiedReceipt>;
}
