-- CreateTable
CREATE TABLE "schedule" (
    "pipeline_id" UUID NOT NULL,
    "rule" JSONB NOT NULL,
    "next_at" TIMESTAMPTZ(6),
    "last_at" TIMESTAMPTZ(6),
    "last_run_id" UUID,
    "seen" JSONB NOT NULL,
    "paused" BOOLEAN NOT NULL DEFAULT false,
    "skipped" INTEGER NOT NULL DEFAULT 0,
    "error" JSONB,

    CONSTRAINT "schedule_pkey" PRIMARY KEY ("pipeline_id")
);

-- CreateIndex
CREATE INDEX "schedule_next_at_idx" ON "schedule"("next_at");

-- AddForeignKey
ALTER TABLE "schedule" ADD CONSTRAINT "schedule_pipeline_id_fkey" FOREIGN KEY ("pipeline_id") REFERENCES "pipeline"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
