"""PEFT's logits for adapters that were written here: reads {"base", "sizes", "ids", "adapters": [{"folder", "classes"}]} from
stdin, writes a list of logits. Without "sizes" the base is a folder in the hub's layout. Run by peft.test.ts; needs torch,
transformers, peft and safetensors.
"""

import json
import sys

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForSequenceClassification, GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel

task = json.load(sys.stdin)
sizes = task.get("sizes")
weights = {key.removeprefix("transformer."): value for key, value in load_file(task["base"]).items()} if sizes else {}
ids = torch.tensor(task["ids"])


def base(classes):
    if not sizes:
        return AutoModelForSequenceClassification.from_pretrained(task["base"], num_labels=classes, dtype=torch.float32).eval()
    config = GPT2Config(**sizes, bos_token_id=None, eos_token_id=None, pad_token_id=None, num_labels=classes or 2)
    model = (GPT2ForSequenceClassification if classes else GPT2LMHeadModel)(config)
    model.transformer.load_state_dict(weights, strict=False)
    return model.eval()


answers = []
for adapter in task["adapters"]:
    model = PeftModel.from_pretrained(base(adapter["classes"]), adapter["folder"]).eval()
    with torch.no_grad():
        answers.append(torch.cat([model(row[None]).logits for row in ids]).tolist())
json.dump(answers, sys.stdout)
