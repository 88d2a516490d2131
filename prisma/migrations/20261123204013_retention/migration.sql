-- AlterTable
ALTER TABLE "snapshot" ADD COLUMN     "expired_at" TIMESTAMPTZ(6);

-- CreateTable
CREATE TABLE "leftover" (
    "path" TEXT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "snapshot_id" UUID,
    "due" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "leftover_pkey" PRIMARY KEY ("path")
);

-- CreateTable
CREATE TABLE "turn" (
    "of" TEXT NOT NULL,
    "taken_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "turn_pkey" PRIMARY KEY ("of")
);

-- CreateIndex
CREATE INDEX "leftover_due_idx" ON "leftover"("due");
