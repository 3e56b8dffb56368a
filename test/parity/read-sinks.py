"""Reads event files of TensorBoard and offline runs of wandb with their own readers, for sinks.test.ts.

Versions: tensorboard 2.21.0, wandb 0.19.11 (later ones read these files outside of Python).
    python test/parity/read-sinks.py FOLDER_OF_EVENTS FILE.wandb

Prints the scalars of the one and the records of the other as JSON. golden/sinks.json has the hashes of
files that were read so.
"""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from wandb.proto import wandb_internal_pb2
from wandb.sdk.internal.datastore import DataStore

events, run = sys.argv[1:]
accumulator = EventAccumulator(events)
accumulator.Reload()
scalars = {
    tag: [[event.step, event.wall_time, event.value] for event in accumulator.Scalars(tag)]
    for tag in accumulator.Tags()["scalars"]
}
store = DataStore()
store.open_for_scan(run)
records = []
while (data := store.scan_data()) is not None:
    record = wandb_internal_pb2.Record()
    record.ParseFromString(data)
    kind = record.WhichOneof("record_type")
    row = {"num": record.num, "kind": kind}
    if kind == "run":
        row |= {"project": record.run.project, "name": record.run.display_name,
                "start": record.run.start_time.seconds}
    if kind == "history":
        row |= {"step": record.history.step.num,
                "values": {item.key: json.loads(item.value_json) for item in record.history.item}}
    if kind == "exit":
        row |= {"code": record.exit.exit_code}
    records.append(row)
print(json.dumps({"scalars": scalars, "records": records}))
