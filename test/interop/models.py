"""Writes tiny folders of many kinds of models, as transformers saves them, with the logits of each: models.py FOLDER"""
import json, os, sys
import torch
from transformers import AutoConfig, AutoModelForCausalLM

ROOT, IDS = sys.argv[1], [[5, 7, 11, 13, 2, 9, 33, 60]]
LLAMA = dict(
    vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2,
)
GPT = dict(vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_positions=64, bos_token_id=1, eos_token_id=2)
LLAMA3 = dict(rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0)
KINDS = {
    "llama": LLAMA, "llama tied": {**LLAMA, "tie_word_embeddings": True}, "llama wide": {**LLAMA, "head_dim": 16},
    "llama slowed": {**LLAMA, "rope_parameters": {**LLAMA3, "original_max_position_embeddings": 16}},
    "llama linear": {**LLAMA, "rope_parameters": {"rope_type": "linear", "rope_theta": 500.0, "factor": 4.0}},
    "llama biased": {**LLAMA, "attention_bias": True}, "llama gelu": {**LLAMA, "hidden_act": "gelu"},
    "gpt2": GPT, "gpt2 untied": {**GPT, "tie_word_embeddings": False}, "gpt2 gelu": {**GPT, "activation_function": "gelu"},
    "qwen3": {**LLAMA, "head_dim": 16}, "qwen3 tied": {**LLAMA, "head_dim": 16, "tie_word_embeddings": True},
    "mistral": LLAMA, "qwen2": LLAMA, "gemma": {**LLAMA, "head_dim": 8}, "gemma2": {**LLAMA, "head_dim": 8},
    "gemma3_text": {**LLAMA, "head_dim": 16, "sliding_window": 3}, "phi": LLAMA, "phi3": LLAMA, "olmo": LLAMA, "olmo2": LLAMA, "granite": LLAMA,
    "stablelm": LLAMA, "starcoder2": LLAMA, "cohere": LLAMA, "smollm3": LLAMA, "mixtral": LLAMA, "gpt_neox": LLAMA,
    "opt": {**LLAMA, "ffn_dim": 48, "word_embed_proj_dim": 32}, "bloom": LLAMA, "gptj": {**GPT, "rotary_dim": 4},
}

for name, sizes in KINDS.items():
    folder = os.path.join(ROOT, name.replace(" ", "-"))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(name.split()[0], **sizes)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3 + (1 if parameter.ndim == 1 else 0))
        model.save_pretrained(folder)
        logits = model(torch.tensor(IDS)).logits
    json.dump({"ids": IDS, "logits": logits.tolist()}, open(os.path.join(folder, "expected.json"), "w"))
