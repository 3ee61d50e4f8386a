import type { Strided } from '../../kernels.ts';
import { isBytes, type Storage } from '../../storage.ts';
import { fold, rowMajorStrides, sizeOf } from '../../strided.ts';
import { Declined, type Engine } from '../engine.ts';
import { MOST_FURTHER } from '../protocol.ts';

/** Plans copies between strided views: which two dimensions make a plane, how planes are cut into tasks. */

/** Elements of one band of a plane, and of one task. */
const TASK = 16384;
const THREADED_ELEMENTS = 32768;

interface Side {
  address: number;
  strides: readonly number[];
}

/** Copies or adds `source` onto `target`, both of `shape`; addresses are those of the first elements. */
function run(engine: Engine, shape: readonly number[], target: Side, source: Side, add: boolean): boolean {
  const total = sizeOf(shape);
  if (total === 0) return true;
  const { lengths, strides } = fold(shape, [target, source]);
  const [to, from] = strides;
  if (lengths.length > MOST_FURTHER + 2) return false;
  if (lengths.length === 1) {
    // One long run: rows of a task each, and what is left.
    const rows = Math.floor(lengths[0] / TASK);
    const rest = lengths[0] - rows * TASK;
    if (rows > 0 && rest > 0) {
      const at = rows * TASK;
      const tail = (side: Side, step: number) => ({ address: side.address + 4 * at * step, strides: [step] });
      run(engine, [rest], tail(target, to[0]), tail(source, from[0]), add);
    }
    lengths.splice(0, 1, Math.max(1, rows), rows > 0 ? TASK : rest);
    to.unshift(to[0] * TASK);
    from.unshift(from[0] * TASK);
  }
  const inner = lengths.length - 1;
  const [rows, columns] = [lengths[inner - 1], lengths[inner]];
  // Bands of a multiple of 4 rows, so that transposed blocks stay whole.
  const height = Math.min(rows, Math.max(4, Math.floor(TASK / columns / 4) * 4));
  const bands = Math.ceil(rows / height);
  const all = bands * (sizeOf(lengths) / (rows * columns));
  const perTask = Math.max(1, Math.floor(TASK / (height * columns)));
  const furtherLengths: number[] = [];
  const furtherTo: number[] = [];
  const furtherFrom: number[] = [];
  for (let axis = inner - 2; axis >= 0; axis--) {
    furtherLengths.push(lengths[axis]);
    furtherTo.push(4 * to[axis]);
    furtherFrom.push(4 * from[axis]);
  }
  const args = {
    add: add ? 1 : 0,
    bandsPerTask: perTask,
    bands: all,
    to: target.address,
    from: source.address,
    columns,
    columnTo: 4 * to[inner],
    columnFrom: 4 * from[inner],
    rows,
    rowTo: 4 * to[inner - 1],
    rowFrom: 4 * from[inner - 1],
    bandRows: height,
    bandsPerPlane: bands,
    furtherDimensions: inner - 1,
    furtherLengths,
    furtherTo,
    furtherFrom,
  };
  engine.run('copy', args, Math.ceil(all / perTask), total >= THREADED_ELEMENTS);
  return true;
}

/** A row-major copy of a view in memory of the call in progress. */
export function copyTo(engine: Engine, x: Strided): number {
  const address = engine.borrow(sizeOf(x.shape) * 4);
  const source = { address: engine.address(x), strides: x.strides };
  if (!run(engine, x.shape, { address, strides: rowMajorStrides(x.shape) }, source, false)) {
    throw new Declined();
  }
  return address;
}

export function contiguous(engine: Engine, x: Strided): Storage | undefined {
  if (isBytes(x.storage)) return undefined;
  const out = engine.empty(sizeOf(x.shape), x.storage.dtype);
  const source = { address: engine.address(x), strides: x.strides };
  const target = { address: engine.target(out), strides: rowMajorStrides(x.shape) };
  return run(engine, x.shape, target, source, false) ? out : undefined;
}

export function copyInto(engine: Engine, target: Strided, source: Strided): true | undefined {
  return onto(engine, target, source, false);
}

export function addInto(engine: Engine, target: Strided, source: Strided): true | undefined {
  return onto(engine, target, source, true);
}

function onto(engine: Engine, target: Strided, source: Strided, add: boolean): true | undefined {
  if (isBytes(target.storage) || (add && target.storage.dtype !== 'float32')) return undefined;
  const from = { address: engine.address(source), strides: source.strides };
  const to = { address: engine.targetView(target), strides: target.strides };
  return run(engine, target.shape, to, from, add) || undefined;
}
