"""What the owners of the formats read in files that were written here: reads {"merged", "ids", "classifier", "data", "tensors"}
from stdin, writes what transformers, pandas and safetensors make of them. Run by written-files.test.ts."""

import json
import sys

import pandas
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

task = json.load(sys.stdin)
ids = torch.tensor(task["ids"])


def logits(model):
    with torch.no_grad():
        return model.eval()(ids).logits.tolist()


classifier = AutoModelForSequenceClassification.from_pretrained(task["classifier"], dtype=torch.float32)
classifier.config.pad_token_id = -1  # the answer is read at the last position
data = {part: pandas.read_parquet(f"{task['data']}/{part}.parquet") for part in ["train", "valid", "test"]}
tensors = {}
for path in task["tensors"]:
    with safe_open(path, framework="pt") as file:
        tensors[path] = {name: [list(file.get_tensor(name).shape), file.get_tensor(name).double().sum().item()] for name in file.keys()}
json.dump(
    {
        "merged": logits(AutoModelForCausalLM.from_pretrained(task["merged"], dtype=torch.float32)),
        "classifier": logits(classifier),
        "labels": classifier.config.id2label,
        "data": {part: [frame["Label"].tolist(), frame["Text"].tolist()] for part, frame in data.items()},
        "tensors": tensors,
    },
    sys.stdout,
)
