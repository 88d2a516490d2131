ALTER TABLE "dataset" RENAME COLUMN "rules" TO "contract";
