import type {WriteAnswer, WriteRecord, WriteStore} from '../writes/writes.ts';
import type {Connection} from './database.ts';

export class PrismaWriteStore implements WriteStore {
  constructor(private readonly db: Connection) {}

  async answered(keys: readonly {readonly requestedBy: string; readonly key: string}[]): Promise<WriteRecord[]> {
    if (keys.length === 0) return [];
    const rows = await this.db.answeredWrite.findMany({where: {OR: keys.map(({requestedBy, key}) => ({requestedBy, key}))}});
    return rows.map(({requestedBy, key, content, answer}) => ({requestedBy, key, content, answer: answer as unknown as WriteAnswer}));
  }

  async remember(records: readonly WriteRecord[]): Promise<void> {
    if (records.length > 0) await this.db.answeredWrite.createMany({data: records.map(({answer, ...record}) => ({...record, answer: answer as object}))});
  }

  async forget(hours: number): Promise<number> {
    return this.db.$executeRaw`DELETE FROM answered_write WHERE answered_at < clock_timestamp() - ${hours} * interval '1 hour'`;
  }
}
