"""Goes on with a fine-tuning that was begun in TypeScript, over as many GPUs as there are.

    pip install torch transformers peft accelerate pyarrow
    accelerate launch train.py

Everything it needs lies beside it, and handover.json says what is done: the same batches in the same order, the same
numbers trained, the same learning rate at each step. The adapter goes to the folder `result`. --help lists what can be
changed.
"""

import argparse
import json
import math
import shutil
from pathlib import Path

import pyarrow.parquet as parquet
import torch
import torch.nn.functional as F
import transformers
from accelerate import Accelerator
from peft import PeftModel
from safetensors.torch import load_file
from torch.nn.utils import parametrize
from transformers import AutoModelForSequenceClassification, AutoTokenizer

HERE = Path(__file__).resolve().parent


class Head(torch.nn.Module):
    """W + scaling · (A B)ᵀ. The head is trained as every other layer: W stays, A [in, r] and B [r, out] learn."""

    def __init__(self, scaling, A, B):
        super().__init__()
        self.scaling, self.A, self.B = scaling, torch.nn.Parameter(A), torch.nn.Parameter(B)

    def forward(self, W):
        return W + self.scaling * (self.A @ self.B).T


def load_model(plan):
    """The base with the adapter on it, ready to be trained, and the layer that is its head."""
    base = HERE / "base"
    model = AutoModelForSequenceClassification.from_pretrained(
        str(base) if base.exists() else plan["base"],
        num_labels=len(plan["labels"]),
        id2label=dict(enumerate(plan["labels"])),
        label2id={label: i for i, label in enumerate(plan["labels"])},
        dtype=torch.float32,
        **dict.fromkeys(["attn_pdrop", "embd_pdrop", "resid_pdrop"], 0.0),
    )
    # No token counts as padding: the answer is read at the last position, as it was learnt.
    model.config.pad_token_id = -1
    model = PeftModel.from_pretrained(model, HERE / "adapter", is_trainable=True)
    score = model.base_model.model.score.modules_to_save["default"]
    score.requires_grad_(False)
    parametrize.register_parametrization(score, "weight", Head(plan["head"]["scaling"], **load_file(HERE / "head.safetensors")))
    for layer, ranks in plan["blocks"].items():
        keep_apart(model.get_parameter(f"base_model.model.{layer}.lora_B.default.weight"), ranks)
    return model, score


def keep_apart(B, ranks):
    """Query, key and value have an A and a B each: in the B of all three [3d, 3r] what lies beside their blocks stays 0."""
    d = len(B) // len(ranks)
    own = torch.block_diag(*[torch.ones(d, rank) for rank in ranks])
    B.register_hook(lambda gradient: gradient * own.to(gradient.device))


def load_part(plan, tokeniser, part):
    """Ids [n, t], cut or filled up to one length, and classes [n]."""
    table = parquet.read_table(HERE / "data" / f"{part}.parquet").to_pydict()
    length = plan["maxLength"]
    rows = [ids[:length] for ids in tokeniser(table["Text"], split_special_tokens=True)["input_ids"]]
    ids = torch.tensor([row + [plan["padTokenId"]] * (length - len(row)) for row in rows])
    return ids, torch.tensor(table["Label"])


def learning_rate(plan, step, steps):
    peak = plan["lr"]
    if plan["schedule"] == "constant":
        return peak
    warmup = steps // 10
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return peak * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))


def batches(count, size):
    """The rows of each batch, in a new order in each pass. All processes draw the same, and each takes its share."""
    loader = torch.utils.data.DataLoader(range(count), batch_size=size, shuffle=True, drop_last=True)
    return (rows.tolist() for rows in loader)


def share(rows, accelerator):
    size = len(rows) // accelerator.num_processes
    return rows[accelerator.process_index * size :][:size]


def accuracy(accelerator, model, ids, labels, size):
    model.eval()
    device = accelerator.device
    right = torch.zeros((), device=device)
    for rows in torch.arange(accelerator.process_index, len(ids), accelerator.num_processes).split(size):
        with torch.no_grad():
            right += (model(input_ids=ids[rows].to(device)).logits.argmax(-1) == labels[rows].to(device)).sum()
    model.train()
    return accelerator.reduce(right, "sum").item() / len(ids)


def main():
    if not (HERE / "handover.json").exists():
        raise SystemExit(f"{HERE} was not written to its end: run npm run adapter -- handover again")
    plan = json.loads((HERE / "handover.json").read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description="Goes on with a fine-tuning that was begun in TypeScript.")
    parser.add_argument("--epochs", type=int, default=plan["epochs"], help="passes over the training part")
    parser.add_argument("--batch-size", type=int, default=plan["batchSize"], help="messages of a step, of all processes")
    parser.add_argument("--lr", type=float, default=plan["lr"], help="the highest learning rate")
    parser.add_argument("--steps", type=int, help="stop after so many steps, to try it")
    parser.add_argument("--out", type=Path, default=HERE / "result", help="folder for the adapter")
    given = parser.parse_args()
    plan.update(epochs=given.epochs, batchSize=given.batch_size, lr=given.lr)

    transformers.logging.set_verbosity_error()  # that the base has no classifier of its own is known
    accelerator = Accelerator(cpu=not torch.accelerator.is_available())
    if plan["batchSize"] % accelerator.num_processes:
        raise SystemExit(f"--batch-size has to be a multiple of {accelerator.num_processes}, the number of processes")
    tokeniser = AutoTokenizer.from_pretrained(HERE / "tokeniser")
    parts = {part: load_part(plan, tokeniser, part) for part in ["train", "valid", "test"]}
    model, score = load_model(plan)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    accelerator.print(f"{sum(p.numel() for p in trained):,} numbers are trained, by {accelerator.num_processes} processes")
    optimiser = torch.optim.AdamW(trained, lr=plan["lr"], weight_decay=plan["weightDecay"])
    model, optimiser = accelerator.prepare(model, optimiser)
    train(plan, accelerator, model, optimiser, parts, given.steps)

    test = accuracy(accelerator, model, *parts["test"], plan["batchSize"])
    accelerator.print(f"Test accuracy: {100 * test:.2f}%")
    if accelerator.is_main_process:
        parametrize.remove_parametrizations(score, "weight", leave_parametrized=True)  # W + AB as one matrix
        accelerator.unwrap_model(model).save_pretrained(given.out, save_embedding_layers=False)
        shutil.copy(HERE / "adapter" / "classifier.json", given.out)
        print(f"Adapter written to {given.out}")


def train(plan, accelerator, model, optimiser, parts, most_steps):
    ids, labels = parts["train"]
    steps = plan["epochs"] * (len(ids) // plan["batchSize"])
    torch.manual_seed(plan["seed"])
    model.train()
    step = 0
    for epoch in range(plan["epochs"]):
        for rows in batches(len(ids), plan["batchSize"]):
            if step == most_steps:
                return
            for group in optimiser.param_groups:
                group["lr"] = learning_rate(plan, step, steps)
            mine = share(rows, accelerator)
            logits = model(input_ids=ids[mine].to(accelerator.device)).logits
            loss = F.cross_entropy(logits, labels[mine].to(accelerator.device))
            accelerator.backward(loss)
            optimiser.step()
            optimiser.zero_grad()
            report(plan, accelerator, step, accelerator.reduce(loss.detach(), "mean").item())
            step += 1
        valid = accuracy(accelerator, model, *parts["valid"], plan["batchSize"])
        accelerator.print(f"Pass {epoch + 1} of {plan['epochs']}: validation accuracy {100 * valid:.2f}%")


def report(plan, accelerator, step, loss):
    """The first losses stand beside those of TypeScript; later every fiftieth."""
    if step < len(plan["losses"]):
        accelerator.print(f"Step {step + 1}: loss {loss:.6f} (in TypeScript {plan['losses'][step]:.6f})")
    elif step % 50 == 0:
        accelerator.print(f"Step {step + 1}: loss {loss:.4f}")


main()
