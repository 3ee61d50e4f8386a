"""torch_llama.py answer|step|messages FILE THREADS: PyTorch with transformers and peft on a GGUF file, decoded to float32; one
measurement, printed as JSON. pip install torch transformers peft gguf accelerate"""
import json, os, resource, statistics, sys, time
import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, logging

task, weights, threads = sys.argv[1:]
PROMPT, NEW, TURNS = 512, 128, 2
MESSAGES = torch.tensor([14, 18, 24, 31, 36, 42, 52, 68])  # tokens of each text, as in measurement.ts
TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(int(threads))
torch.manual_seed(1)
folder, file = os.path.split(os.path.abspath(weights))
source = dict(gguf_file=file, dtype=torch.float32)


def answer():
    model = AutoModelForCausalLM.from_pretrained(folder, **source).eval()
    prompt = torch.randint(0, model.config.vocab_size, (1, PROMPT))
    prompts, generations = [], []
    with torch.inference_mode():
        for _ in range(TURNS + 1):
            start = time.perf_counter()
            out = model(prompt, use_cache=True, logits_to_keep=1)
            read = time.perf_counter()
            for _ in range(NEW):
                token = out.logits[:, -1].argmax(-1, keepdim=True)
                out = model(token, past_key_values=out.past_key_values, use_cache=True)
            prompts.append(read - start)
            generations.append(time.perf_counter() - read)
    return dict(prompt=PROMPT / statistics.median(prompts[1:]), generation=NEW / statistics.median(generations[1:]))


def step(messages):
    base = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, **source)
    base.config.pad_token_id = 0
    config = LoraConfig(task_type="SEQ_CLS", r=16, lora_alpha=16, target_modules=TARGETS)
    model = get_peft_model(base, config)
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=8e-4, weight_decay=0.1)
    length = MESSAGES.max() if messages else 120
    ids, labels = torch.randint(1, base.config.vocab_size, (8, length)), torch.arange(8) % 2
    text = None
    if messages:
        text = (torch.arange(length) < MESSAGES[:, None]).long()
        ids = ids * text
    seconds = []
    for _ in range(TURNS + 1):
        start = time.perf_counter()
        optimiser.zero_grad()
        F.cross_entropy(model(ids, attention_mask=text, use_cache=False).logits, labels).backward()
        optimiser.step()
        seconds.append(time.perf_counter() - start)
    return dict(stepSeconds=statistics.median(seconds[1:]))


found = answer() if task == "answer" else step(task == "messages")
print(json.dumps(dict(**found, peakGB=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)))
