"""torch_step.py THREADS: PyTorch's LoRA step for `bench -- tables`, as model.ts and step.ts measure ours: GPT-2 small with random
weights, 8 messages of 109 tokens, rank 16 beside every Linear, every position computed; with PyTorch's fused attention and
GELU. Prints the median seconds and the memory as JSON. pip install torch"""
import json, math, resource, statistics, sys, time
import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY, CONTEXT, WIDTH, HEADS, LAYERS, RANK = 50257, 1024, 768, 12, 12, 16
BATCH, TOKENS, WARM_UP, STEPS = 8, 109, 2, 4
torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(123)


class LoRA(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.A = nn.Parameter(torch.empty(inputs, RANK).uniform_(-1, 1) / math.sqrt(RANK))
        self.B = nn.Parameter(torch.zeros(RANK, outputs))

    def forward(self, x):
        return self.linear(x) + x @ self.A @ self.B


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value, self.out = (LoRA(WIDTH, WIDTH) for _ in range(4))
        self.up, self.down = LoRA(WIDTH, 4 * WIDTH), LoRA(4 * WIDTH, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)

    def forward(self, x):
        y = self.norm1(x)
        heads = [p(y).unflatten(2, (HEADS, -1)).transpose(1, 2) for p in (self.query, self.key, self.value)]
        context = F.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.out(context.transpose(1, 2).flatten(2))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), LoRA(WIDTH, 2)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        return self.head(self.norm(self.blocks(x)))[:, -1]


model = Classifier()
for name, parameter in model.named_parameters():
    parameter.requires_grad = name.endswith((".A", ".B"))
optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=8e-4, weight_decay=0.1)
ids, labels = torch.randint(0, VOCABULARY, (BATCH, TOKENS)), torch.arange(BATCH) % 2
seconds = []
for _ in range(WARM_UP + STEPS):
    start = time.perf_counter()
    optimiser.zero_grad()
    F.cross_entropy(model(ids), labels).backward()
    optimiser.step()
    seconds.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(json.dumps(dict(version=torch.__version__, seconds=statistics.median(seconds[WARM_UP:]), peakGB=peak)))
