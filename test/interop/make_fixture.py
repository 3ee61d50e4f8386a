"""Writes test/fixtures/peft: a tiny GPT-2, adapters that PEFT made for it, and PEFT's logits. Run by hand:

    python3 test/interop/make_fixture.py test/fixtures/peft

Needs torch, transformers, peft and safetensors (made with peft 0.21.2, transformers 5.24). What the folders hold is
what `save_pretrained` wrote, without the model card; the logits are those of a model that loaded them again.
"""

import json
import os
import shutil
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import GPT2Config, GPT2ForSequenceClassification, GPT2LMHeadModel, GPT2Model

out = sys.argv[1]
shutil.rmtree(out, ignore_errors=True)
os.makedirs(out)
torch.manual_seed(1)
SIZES = dict(vocab_size=40, n_positions=16, n_embd=12, n_layer=3, n_head=2)
config = GPT2Config(**SIZES, pad_token_id=None, bos_token_id=None, eos_token_id=None)
base = GPT2LMHeadModel(config)
with torch.no_grad():
    for p in base.parameters():
        p.copy_(torch.randn_like(p) * 0.3 + (1.0 if p.ndim == 1 and torch.all(p == 1) else 0.0))
BASE = os.path.join(out, "base")
base.save_pretrained(BASE)
ids = torch.randint(0, 40, (2, 9))


def fresh(kind):
    kwargs = {"num_labels": 3} if kind is GPT2ForSequenceClassification else {}
    return kind.from_pretrained(BASE, **kwargs).eval()


def case(name, kind=GPT2LMHeadModel, dtype=None, edit=None, **options):
    model = get_peft_model(fresh(kind), LoraConfig(**options))
    with torch.no_grad():
        for key, p in model.named_parameters():
            if "lora_" in key or "modules_to_save" in key:
                p.copy_(torch.randn_like(p) * 0.3)
    folder = os.path.join(out, name)
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    path = os.path.join(folder, "adapter_config.json")
    saved = json.load(open(path))
    # A Python set: without an order it would change with every run.
    if isinstance(saved["target_modules"], list):
        saved["target_modules"].sort()
    saved["base_model_name_or_path"] = "tiny-gpt2"
    if edit:
        saved = edit(saved)
    json.dump(saved, open(path, "w"), indent=2, sort_keys=True)
    if dtype:
        tensors = os.path.join(folder, "adapter_model.safetensors")
        save_file({k: v.to(dtype) for k, v in load_file(tensors).items()}, tensors, metadata={"format": "pt"})
    loaded = PeftModel.from_pretrained(fresh(kind), folder).eval()
    with torch.no_grad():
        answers = [loaded(row[None]) for row in ids]  # one by one: a classifier of several would want a padding token
    logits = torch.cat([answer.logits if hasattr(answer, "logits") else answer.last_hidden_state for answer in answers])
    json.dump({"kind": kind.__name__, "logits": logits.tolist()}, open(os.path.join(folder, "logits.json"), "w"))


ALL = ["c_attn", "c_proj", "c_fc"]
LM = "CAUSAL_LM"
case("attention", r=4, lora_alpha=6, target_modules=["c_attn"], task_type=LM)
case("all", r=2, lora_alpha=8, lora_dropout=0.1, target_modules=ALL, task_type=LM)
case("suffix", r=3, target_modules=["attn.c_proj"], task_type=LM)
case("regex", r=2, target_modules=r".*\.h\.[02]\.(attn\.c_attn|mlp\.c_fc)", task_type=LM)
case("all-linear", r=2, target_modules="all-linear", task_type=LM)
case("layers", r=2, target_modules=["c_attn", "mlp.c_proj"], layers_to_transform=[1, 2], layers_pattern="h", task_type=LM)
case("one-layer", r=2, target_modules=["c_attn"], layers_to_transform=1, task_type=LM)
case("exclude", r=2, target_modules=ALL, exclude_modules=r".*\.1\..*", task_type=LM)
case("patterns", r=4, lora_alpha=8, target_modules=ALL, rank_pattern={"attn.c_proj": 2, r"h\.1\.mlp\.c_fc": 6},
     alpha_pattern={"c_fc": 3, r"h\.0\..*c_attn": 5}, task_type=LM)
case("rslora", r=4, lora_alpha=8, use_rslora=True, target_modules=ALL, task_type=LM)
case("saved-norm", r=2, target_modules=["c_attn"], modules_to_save=["ln_f", "ln_1", "wpe"], task_type=LM)
case("lm-head", r=2, target_modules=["c_attn", "lm_head"], task_type=LM)
case("classifier", GPT2ForSequenceClassification, r=2, lora_alpha=4, target_modules=ALL, task_type="SEQ_CLS")
case("classifier-all-linear", GPT2ForSequenceClassification, r=2, target_modules="all-linear", task_type="SEQ_CLS")
case("inner-model", GPT2Model, r=2, target_modules=["c_attn", "c_proj"])
case("float16", dtype=torch.float16, r=2, target_modules=ALL, task_type=LM)
case("bfloat16", dtype=torch.bfloat16, r=2, target_modules=ALL, task_type=LM)
case("gaussian", r=2, init_lora_weights="gaussian", target_modules=["c_fc"], task_type=LM)
OLD = ["base_model_name_or_path", "bias", "fan_in_fan_out", "inference_mode", "lora_alpha", "lora_dropout", "peft_type",
       "r", "target_modules", "task_type"]
case("old-config", r=2, target_modules=["c_attn"], task_type=LM, edit=lambda saved: {k: saved[k] for k in OLD})
json.dump({"ids": ids.tolist(), **SIZES}, open(os.path.join(out, "about.json"), "w"))
for name in ["generation_config.json", "config.json"]:
    path = os.path.join(BASE, name)
    if os.path.exists(path):
        os.remove(path)
