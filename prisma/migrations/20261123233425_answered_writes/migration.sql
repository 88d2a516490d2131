-- CreateTable
CREATE TABLE "answered_write" (
    "requested_by" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "content" TEXT NOT NULL,
    "answer" JSONB NOT NULL,
    "answered_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "answered_write_pkey" PRIMARY KEY ("requested_by","key")
);

-- CreateIndex
CREATE INDEX "answered_write_answered_at_idx" ON "answered_write"("answered_at");
