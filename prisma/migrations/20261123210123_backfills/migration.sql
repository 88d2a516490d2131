-- CreateTable
CREATE TABLE "backfill" (
    "id" UUID NOT NULL,
    "definition_id" UUID NOT NULL,
    "param" TEXT NOT NULL,
    "grain" TEXT NOT NULL,
    "first" TEXT NOT NULL,
    "last" TEXT NOT NULL,
    "params" JSONB NOT NULL,
    "steps" JSONB NOT NULL,
    "requested_by" TEXT NOT NULL,
    "cancelled_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "backfill_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "backfill_partition" (
    "backfill_id" UUID NOT NULL,
    "partition" TEXT NOT NULL,
    "run_id" UUID,

    CONSTRAINT "backfill_partition_pkey" PRIMARY KEY ("backfill_id","partition")
);

-- CreateIndex
CREATE INDEX "backfill_definition_id_idx" ON "backfill"("definition_id");

-- CreateIndex
CREATE INDEX "backfill_partition_run_id_idx" ON "backfill_partition"("run_id");

-- AddForeignKey
ALTER TABLE "backfill" ADD CONSTRAINT "backfill_definition_id_fkey" FOREIGN KEY ("definition_id") REFERENCES "pipeline_definition"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "backfill_partition" ADD CONSTRAINT "backfill_partition_backfill_id_fkey" FOREIGN KEY ("backfill_id") REFERENCES "backfill"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
