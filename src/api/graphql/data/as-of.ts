import type {AsOf} from '../../../warehouse/warehouse.ts';
import type {Given, Variables} from './given.ts';

/** The state that an argument of the type `AsOf` asks for; undefined: the newest. */
export function asOfReader(given: Given | undefined): (variables: Variables) => AsOf | undefined {
  if (!given || given.isNull) return () => undefined;
  return variables => {
    const {snapshot, time, run} = given.read(variables) as {snapshot?: string; time?: string | number | Date; run?: string};
    return snapshot !== undefined ? {snapshot} : run !== undefined ? {run} : {time: new Date(time!)};
  };
}
