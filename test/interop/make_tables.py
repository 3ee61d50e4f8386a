"""Writes test/fixtures/tables: the same 40 texts of four classes in every kind of file. Run by hand:

    python3 test/interop/make_tables.py test/fixtures/tables

Needs polars and pyarrow (made with polars 2.1, pyarrow 26.0).
"""

import os
import sys

import polars as pl

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
START = {
    "billing": ['I was charged twice, "again", on {}', "Why is my invoice {},50 € higher?"],
    "delivery": ["Where is\nparcel {}?", "Das Paket {} kam nicht an; wo ist es?"],
    "returns & refunds": ["Ich möchte Gerät {} zurückgeben 🙁", "refund\tfor order {}, please"],
    "技術": ["画面{}が動きません", 'error {}: "no\r\nsignal"'],
}
texts, labels = [], []
for i in range(40):
    label = list(START)[(i * 7 + i // 9) % 4]
    texts.append(START[label][i % 2].format(i))
    labels.append(label)
table = pl.DataFrame({"id": list(range(40)), "text": texts, "label": labels})
table.write_csv(os.path.join(out, "texts.csv"))
table.write_csv(os.path.join(out, "texts.tsv"), separator="\t")
table.write_ndjson(os.path.join(out, "texts.jsonl"))
for codec in ["zstd", "snappy", "gzip", "brotli", "lz4", "uncompressed"]:
    table.write_parquet(os.path.join(out, f"{codec}.parquet"), compression=codec)
