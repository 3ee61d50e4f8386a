import { rmsNorm, rmsNormBackward, rmsNormParameters } from './protocol';
import { firstLanes, storePair, storeSums, storeUpToFour } from './rows';
import { high, madd, splat, sumLanes } from './simd';

/** RMS norm over rows of d numbers (Zhang & Sennrich 2019). The readable kernel is in ../../js/rmsNorm.ts. */
export function rmsNormTask(task: i32): void {
  const d = rmsNorm.d();
  const last = min(rmsNorm.rows(), (task + 1) * rmsNorm.rowsPerTask());
  const tail = d & 3;
  const end = <usize>(d - tail) << 2;
  const gamma = rmsNorm.scale();
  for (let row = task * rmsNorm.rowsPerTask(); row < last; row++) {
    const x = rmsNorm.x() + ((<usize>row * d) << 2);
    const y = rmsNorm.y() + ((<usize>row * d) << 2);
    let squares = splat(0);
    let i: usize = 0;
    for (; i < end; i += 16) {
      const four = v128.load(x + i);
      squares = madd(four, four, squares);
    }
    if (tail) {
      const few = firstLanes(v128.load(x + i), splat(0), tail);
      squares = madd(few, few, squares);
    }
    const rstd: f32 = 1 / sqrt<f32>(sumLanes(squares) / <f32>d + rmsNorm.eps());
    const r = splat(rstd);
    normalise(x, y, d, r, gamma);
    store<f32>(rmsNorm.rstd() + (<usize>row << 2), rstd);
  }
}

/** y = x r · gamma. */
function normalise(x: usize, y: usize, n: i32, r: v128, gamma: usize): void {
  for (; n >= 8; n -= 8, x += 32, y += 32, gamma += 32) {
    const first = f32x4.mul(f32x4.mul(v128.load(x), r), v128.load(gamma));
    storePair(y, first, f32x4.mul(f32x4.mul(v128.load(x, 16), r), v128.load(gamma, 16)));
  }
  for (; n > 0; n -= 4, x += 16, y += 16, gamma += 16) {
    storeUpToFour(y, f32x4.mul(f32x4.mul(v128.load(x), r), v128.load(gamma)), n);
  }
}

/** dx = rstd · (ĝ − x̂ mean(ĝ x̂)) with ĝ = g · scale. */
export function rmsNormBackwardTask(task: i32): void {
  const d = rmsNormBackward.d();
  const last = min(rmsNormBackward.rows(), (task + 1) * rmsNormBackward.rowsPerTask());
  const tail = d & 3;
  const end = <usize>(d - tail) << 2;
  const gamma = rmsNormBackward.scale();
  for (let row = task * rmsNormBackward.rowsPerTask(); row < last; row++) {
    const at = (<usize>row * d) << 2;
    const x = rmsNormBackward.x() + at;
    const g = rmsNormBackward.g() + at;
    const dx = rmsNormBackward.dx() + at;
    const r = v128.load32_splat(rmsNormBackward.rstd() + (<usize>row << 2));
    let dot = splat(0);
    let i: usize = 0;
    for (; i < end; i += 16) {
      const gHat = f32x4.mul(v128.load(g + i), v128.load(gamma + i));
      dot = madd(gHat, f32x4.mul(v128.load(x + i), r), dot);
    }
    if (tail) {
      const gHat = firstLanes(f32x4.mul(v128.load(g + i), v128.load(gamma + i)), splat(0), tail);
      dot = madd(gHat, firstLanes(f32x4.mul(v128.load(x + i), r), splat(0), tail), dot);
    }
    const meanDot = splat(sumLanes(dot) / <f32>d);
    storeGradients(x, g, gamma, dx, d, r, meanDot);
  }
}

// @ts-ignore: decorator
@inline
function gradient(x: v128, g: v128, gamma: v128, r: v128, meanDot: v128): v128 {
  return f32x4.mul(r, f32x4.sub(f32x4.mul(g, gamma), f32x4.mul(f32x4.mul(x, r), meanDot)));
}

function storeGradients(x: usize, g: usize, gamma: usize, dx: usize, n: i32, r: v128, meanDot: v128): void {
  for (; n >= 8; n -= 8, x += 32, g += 32, gamma += 32, dx += 32) {
    const first = gradient(v128.load(x), v128.load(g), v128.load(gamma), r, meanDot);
    storePair(dx, first, gradient(v128.load(x, 16), v128.load(g, 16), v128.load(gamma, 16), r, meanDot));
  }
  for (; n > 0; n -= 4, x += 16, g += 16, gamma += 16, dx += 16) {
    storeUpToFour(dx, gradient(v128.load(x), v128.load(g), v128.load(gamma), r, meanDot), n);
  }
}

/** dscale = Σ g x̂ over the rows, for some of the columns: summed in one order by one thread. */
export function rmsNormParametersTask(task: i32): void {
  const rows = rmsNormParameters.rows();
  const d = rmsNormParameters.d();
  const first = task * rmsNormParameters.columnsPerTask();
  const last = min(d, first + rmsNormParameters.columnsPerTask());
  for (let column = first; column < last; column += 4) {
    let at = <usize>column << 2;
    let low = f64x2.splat(0);
    let upper = low;
    for (let row = 0; row < rows; row++) {
      const r = v128.load32_splat(rmsNormParameters.rstd() + (<usize>row << 2));
      const xHat = f32x4.mul(v128.load(rmsNormParameters.x() + at), r);
      const product = f32x4.mul(v128.load(rmsNormParameters.g() + at), xHat);
      low = f64x2.add(low, f64x2.promote_low_f32x4(product));
      upper = f64x2.add(upper, f64x2.promote_low_f32x4(high(product)));
      at += <usize>d << 2;
    }
    storeSums(rmsNormParameters.dscale() + (<usize>column << 2), low, upper, last - column);
  }
}
