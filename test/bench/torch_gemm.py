"""torch_gemm.py THREADS: PyTorch's matrix product for `bench -- gemm`. Each line read is `m n k NN|NT|TN` and prepares operands, or
`run` and multiplies them; a line is written when it is done. pip install torch"""
import sys
import torch

torch.set_num_threads(int(sys.argv[1]))
print(torch.__version__, flush=True)
a = b = None
with torch.inference_mode():
    for line in sys.stdin:
        if line.strip() != "run":
            m, n, k, trans = line.split()
            m, n, k = int(m), int(n), int(k)
            a = torch.randn(k, m).t() if trans[0] == "T" else torch.randn(m, k)
            b = torch.randn(n, k).t() if trans[1] == "T" else torch.randn(k, n)
        else:
            a @ b
        print("done", flush=True)
