-- CreateTable
CREATE TABLE "schema_proposal" (
    "id" UUID NOT NULL,
    "proposal" JSONB NOT NULL,
    "requested_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "schema_proposal_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "schema_proposal_created_at_idx" ON "schema_proposal"("created_at");
