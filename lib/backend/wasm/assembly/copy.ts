import { copy } from './protocol';
import { storePair } from './rows';

/**
 * Copies (or adds) between two strided views of the same shape, 4-byte elements. The shape is that of the target,
 * folded to few dimensions; the innermost two make a plane that one call does, the others count planes.
 */

// @ts-ignore: decorator
@inline
function put(to: usize, value: v128, add: bool): void {
  v128.store(to, add ? f32x4.add(v128.load(to), value) : value);
}

// @ts-ignore: decorator
@inline
function putOne(to: usize, from: usize, add: bool): void {
  if (add) store<f32>(to, load<f32>(to) + load<f32>(from));
  else store<u32>(to, load<u32>(from));
}

// @ts-ignore: decorator
@inline
function row(to: usize, stepTo: usize, from: usize, stepFrom: usize, n: i32, add: bool): void {
  if (stepTo == 4 && stepFrom == 4) {
    for (; n >= 8; n -= 8, to += 32, from += 32) {
      const first = v128.load(from);
      const second = v128.load(from, 16);
      if (add) storePair(to, f32x4.add(v128.load(to), first), f32x4.add(v128.load(to, 16), second));
      else storePair(to, first, second);
    }
    for (; n >= 4; n -= 4, to += 16, from += 16) put(to, v128.load(from), add);
  } else if (stepTo == 4 && stepFrom == 0) {
    const value = v128.load32_splat(from);
    for (; n >= 4; n -= 4, to += 16) put(to, value, add);
  }
  for (; n > 0; n--, to += stepTo, from += stepFrom) putOne(to, from, add);
}

function copyRow(to: usize, stepTo: usize, from: usize, stepFrom: usize, n: i32): void {
  row(to, stepTo, from, stepFrom, n, false);
}

function addRow(to: usize, stepTo: usize, from: usize, stepFrom: usize, n: i32): void {
  row(to, stepTo, from, stepFrom, n, true);
}

/**
 * A plane that is transposed on the way: rows of the target are columns of the source. Blocks of 4×4 go through
 * registers, so that both sides are read and written by whole vectors.
 */
function transposePlane(
  to: usize, rowTo: usize, from: usize, columnFrom: usize, rows: i32, columns: i32, add: bool,
): void {
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    let source = from + (<usize>i << 2);
    let target = to + <usize>i * rowTo;
    let j = 0;
    for (; j + 4 <= columns; j += 4) {
      const r0 = v128.load(source);
      const r1 = v128.load(source + columnFrom);
      const r2 = v128.load(source + 2 * columnFrom);
      const r3 = v128.load(source + 3 * columnFrom);
      const low01 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
      const low23 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
      const high01 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
      const high23 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
      put(target, v128.shuffle<f64>(low01, low23, 0, 2), add);
      put(target + rowTo, v128.shuffle<f64>(low01, low23, 1, 3), add);
      put(target + 2 * rowTo, v128.shuffle<f64>(high01, high23, 0, 2), add);
      put(target + 3 * rowTo, v128.shuffle<f64>(high01, high23, 1, 3), add);
      source += 4 * columnFrom;
      target += 16;
    }
    for (; j < columns; j++) {
      for (let r = 0; r < 4; r++) putOne(target + <usize>r * rowTo, source + (<usize>r << 2), add);
      source += columnFrom;
      target += 4;
    }
  }
  for (; i < rows; i++) {
    if (add) addRow(to + <usize>i * rowTo, 4, from + (<usize>i << 2), columnFrom, columns);
    else copyRow(to + <usize>i * rowTo, 4, from + (<usize>i << 2), columnFrom, columns);
  }
}

export function copyTask(task: i32): void {
  const add = copy.add() != 0;
  const perTask = copy.bandsPerTask();
  const last = min(copy.bands(), (task + 1) * perTask);
  const columns = copy.columns();
  const stepTo = copy.columnTo();
  const stepFrom = copy.columnFrom();
  const rows = copy.rows();
  const rowTo = copy.rowTo();
  const rowFrom = copy.rowFrom();
  const height = copy.bandRows();
  const bands = copy.bandsPerPlane();
  const dimensions = copy.furtherDimensions();
  for (let band = task * perTask; band < last; band++) {
    let rest = band / bands;
    const first = (band - rest * bands) * height;
    const count = min(height, rows - first);
    let to = copy.to() + <usize>first * rowTo;
    let from = copy.from() + <usize>first * rowFrom;
    for (let i = 0; i < dimensions; i++) {
      const length = copy.furtherLengths(i);
      const index = rest % length;
      rest = rest / length;
      to += <usize>index * copy.furtherTo(i);
      from += <usize>index * copy.furtherFrom(i);
    }
    if (stepTo == 4 && rowFrom == 4 && stepFrom != 4 && columns > 1 && count > 1) {
      transposePlane(to, rowTo, from, stepFrom, count, columns, add);
    } else {
      for (let i = 0; i < count; i++) {
        if (add) addRow(to + <usize>i * rowTo, stepTo, from + <usize>i * rowFrom, stepFrom, columns);
        else copyRow(to + <usize>i * rowTo, stepTo, from + <usize>i * rowFrom, stepFrom, columns);
      }
    }
  }
}
