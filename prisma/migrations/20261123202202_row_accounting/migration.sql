-- AlterTable
ALTER TABLE "run_step" ADD COLUMN     "rows_deleted" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "rows_dropped" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "rows_quarantined" BIGINT NOT NULL DEFAULT 0,
ADD COLUMN     "rows_superseded" BIGINT NOT NULL DEFAULT 0;
