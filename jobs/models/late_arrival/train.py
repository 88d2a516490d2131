"""Trains the sample model: will a flight arrive more than 15 minutes late?

    python train.py --out DIR      writes late_arrival.onnx, metrics.json and examples.json into DIR (default: beside this file)
    python train.py --check        trains again and compares with the files beside this file; fails where they differ

The features come from jobs/flights.sql, the statement that the pipeline runs too. Trained on January to April, judged on May and June.
The hour of departure is no feature: the file's `date` is very probably the actual departure, so late hours give the answer away.
"""
import argparse
import json
import pathlib
import sys
import tempfile

import duckdb
import numpy as np
import onnxruntime
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
FEATURES = {
    "distance": "int64",
    "inbound_flights": "int64",
    "inbound_late_share": "float32",
    "inbound_mean_delay": "float32",
    "outbound_flights": "int64",
    "outbound_late_share": "float32",
}
LATE_MINUTES = 15
TRAINING_ROWS = 300_000
EXAMPLES = 200
SEED = 2001
# How far a model retrained elsewhere may predict from the committed one.
TOLERANCE = 1e-4


def flights(data):
    """All flights with their features, in the statement's order."""
    connection = duckdb.connect(config={"memory_limit": "3GB", "temp_directory": tempfile.gettempdir()})
    connection.execute("CREATE VIEW flights_raw AS SELECT * FROM read_parquet('%s')" % str(data).replace("'", "''"))
    statement = (ROOT / "jobs" / "flights.sql").read_text()
    frame = connection.execute(f"SELECT month(date) AS month, delay, {', '.join(FEATURES)} FROM ({statement})", {"through": "2001-06-30"}).df()
    return frame.astype(FEATURES)


def train(frame):
    rng = np.random.default_rng(SEED)
    rows = frame.iloc[np.sort(rng.choice(len(frame), TRAINING_ROWS, replace=False))]
    model = make_pipeline(
        # skl2onnx makes one input of each column that a transformer names.
        ColumnTransformer([("all", "passthrough", list(FEATURES))]),
        HistGradientBoostingClassifier(max_iter=60, learning_rate=0.15, max_leaf_nodes=15, min_samples_leaf=200, early_stopping=False, random_state=SEED),
    )
    return model.fit(rows[list(FEATURES)], late(rows))


def late(frame):
    return (frame["delay"] > LATE_MINUTES).to_numpy().astype(np.int64)


def export(model):
    kinds = {"int64": Int64TensorType, "float32": FloatTensorType}
    types = [(name, kinds[kind]([None, 1])) for name, kind in FEATURES.items()]
    exported = convert_sklearn(model, "late_arrival", types, target_opset={"": 21, "ai.onnx.ml": 3}, options={id(model): {"zipmap": False}})
    # skl2onnx writes these in the order of a hash set: sorted, the same training gives the same bytes.
    exported.opset_import.sort(key=lambda each: each.domain)
    return exported.SerializeToString()


def score(model_bytes, frame):
    """Probabilities of the exported model: these are judged, not those of the library that trained it."""
    session = onnxruntime.InferenceSession(model_bytes, providers=["CPUExecutionProvider"])
    feeds = {name: frame[name].to_numpy().reshape(-1, 1) for name in FEATURES}
    return session.run(["probabilities"], feeds)[0][:, 1].astype(np.float64)


def judge(model_bytes, frame, base_rate):
    truth, probability = late(frame), score(model_bytes, frame)
    bins = np.minimum((probability * 10).astype(int), 9)
    return {
        "rows": len(frame),
        "late": rounded(truth.mean()),
        "auc": rounded(roc_auc_score(truth, probability)),
        "brier": rounded(brier_score_loss(truth, probability)),
        "brierOfBaseRate": rounded(np.mean((truth - base_rate) ** 2)),
        "logLoss": rounded(log_loss(truth, probability)),
        "calibration": [
            {"from": each / 10, "rows": int(inside.sum()), "predicted": rounded(probability[inside].mean()), "late": rounded(truth[inside].mean())}
            for each in range(10)
            if (inside := bins == each).any()
        ],
    }


def rounded(value):
    return round(float(value), 5)


def examples(model, frame):
    rows = frame.iloc[np.sort(np.random.default_rng(SEED).choice(len(frame), EXAMPLES, replace=False))]
    given = rows[list(FEATURES)]
    return {
        "inputs": {name: given[name].tolist() for name in FEATURES},
        "outputs": {"label": [bool(value) for value in model.predict(given)], "probability": model.predict_proba(given)[:, 1].tolist()},
    }


def check(model_bytes, held_out):
    """Exits with 1 when the committed model predicts otherwise than the one just trained."""
    difference = np.abs(score(model_bytes, held_out) - score((HERE / "late_arrival.onnx").read_bytes(), held_out)).max()
    print(f"greatest difference from the committed model: {difference:.2e} over {len(held_out)} rows")
    sys.exit(0 if difference <= TOLERANCE else 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "node_modules" / "vega-datasets" / "data" / "flights-3m.parquet")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()

    frame = flights(options.data)
    before, may, june = frame[frame["month"] <= 4], frame[frame["month"] == 5], frame[frame["month"] == 6]
    model = train(before)
    model_bytes = export(model)
    if options.check:
        check(model_bytes, june)
    base_rate = late(before).mean()
    metrics = {
        "target": f"delay > {LATE_MINUTES}",
        "trainedOn": {"months": "2001-01 to 2001-04", "rows": len(before), "sampled": TRAINING_ROWS, "late": rounded(base_rate)},
        "may": judge(model_bytes, may, base_rate),
        "june": judge(model_bytes, june, base_rate),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "late_arrival.onnx").write_bytes(model_bytes)
    (options.out / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")
    (options.out / "examples.json").write_text(json.dumps(examples(model, frame[frame["month"] >= 5])) + "\n")
    print(f"{len(model_bytes)} bytes; AUC May {metrics['may']['auc']}, June {metrics['june']['auc']}")


if __name__ == "__main__":
    main()
