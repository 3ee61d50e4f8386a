import type { Tensor } from '../../lib/index.ts';
import { decodeTensor, type EncodedTensor, floatsFromHex } from '../support/fixtures.ts';

/** The values of opinfo.json, as test/fixtures/opinfo.py writes them. */

export class Ellipsis {}

/** Several subscripts, where a list would be one. */
export class Tuple {
  readonly items: unknown[];
  constructor(items: unknown[]) {
    this.items = items;
  }
}

/** Python's start:stop:step. */
export class Slice {
  readonly start: number | null;
  readonly stop: number | null;
  readonly step: number | null;
  constructor([start, stop, step]: (number | null)[]) {
    this.start = start;
    this.stop = stop;
    this.step = step;
  }

  get range(): [number | null, number | null, number] {
    return [this.start, this.stop, this.step ?? 1];
  }
}

/** A tensor that a gradient is expected for: its values, or null for none. */
export interface Leaf {
  readonly tensor: Tensor;
  readonly gradient: Float32Array | null;
}

/** One argument; tensors that require a gradient are added to `leaves`. */
export function decode(value: unknown, leaves: Leaf[]): unknown {
  if (value === null || typeof value !== 'object') return value;
  const row = value as Record<string, unknown>;
  if (row.tensor) {
    const tensor = decodeTensor(row.tensor as EncodedTensor);
    if (row.gradient !== undefined) {
      tensor.requiresGrad_();
      leaves.push({ tensor, gradient: row.gradient === null ? null : floatsFromHex(row.gradient as string) });
    }
    return tensor;
  }
  if (row.number) return Number({ inf: 'Infinity', '-inf': '-Infinity' }[row.number as string] ?? row.number);
  if (row.slice) return new Slice(row.slice as (number | null)[]);
  if (row.ellipsis) return new Ellipsis();
  if (row.dtype) return row.dtype;
  if (row.tuple) return new Tuple((row.tuple as unknown[]).map((part) => decode(part, leaves)));
  return (row.list as unknown[]).map((part) => decode(part, leaves));
}
