import type {Proposal, ProposalRecord, ProposalStore} from '../proposals/proposals.ts';
import type {Connection} from './database.ts';
import {isUuid} from './dataset-store.ts';
import type {SchemaProposal} from './prisma/client.ts';

const toProposal = ({id, createdAt, proposal}: SchemaProposal): ProposalRecord => ({...(proposal as unknown as Omit<Proposal, 'id'>), id, createdAt});

export class PrismaProposalStore implements ProposalStore {
  constructor(private readonly db: Connection) {}

  async add({id, ...proposal}: Proposal, requestedBy: string): Promise<ProposalRecord> {
    return toProposal(await this.db.schemaProposal.create({data: {id, requestedBy, proposal: proposal as object}}));
  }

  async byId(id: string): Promise<ProposalRecord | null> {
    const row = isUuid(id) ? await this.db.schemaProposal.findUnique({where: {id}}) : null;
    return row && toProposal(row);
  }

  async expire(days: number): Promise<number> {
    return this.db.$executeRaw`DELETE FROM schema_proposal WHERE created_at < clock_timestamp() - ${days} * interval '1 day'`;
  }
}
