-- CreateTable
CREATE TABLE "relationship" (
    "id" UUID NOT NULL,
    "dataset_id" UUID NOT NULL,
    "to_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "on" JSONB NOT NULL,
    "created_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "relationship_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "relationship_dataset_id_name_key" ON "relationship"("dataset_id", "name");

-- AddForeignKey
ALTER TABLE "relationship" ADD CONSTRAINT "relationship_dataset_id_fkey" FOREIGN KEY ("dataset_id") REFERENCES "dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "relationship" ADD CONSTRAINT "relationship_to_id_fkey" FOREIGN KEY ("to_id") REFERENCES "dataset"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
