import { layerNorm, layerNormBackward, layerNormParameters } from './protocol';
import { firstLanes, storePair, storeSums, storeUpToFour } from './rows';
import { high, madd, splat, sumLanes } from './simd';

/** Layer norm over rows of d numbers (Ba, Kiros & Hinton 2016). */
export function layerNormTask(task: i32): void {
  const d = layerNorm.d();
  const last = min(layerNorm.rows(), (task + 1) * layerNorm.rowsPerTask());
  const tail = d & 3;
  const whole = d - tail;
  for (let row = task * layerNorm.rowsPerTask(); row < last; row++) {
    const x = layerNorm.x() + ((<usize>row * d) << 2);
    const y = layerNorm.y() + ((<usize>row * d) << 2);
    let sum = splat(0);
    let i: usize = 0;
    const end = <usize>whole << 2;
    for (; i < end; i += 16) sum = f32x4.add(sum, v128.load(x + i));
    if (tail) sum = f32x4.add(sum, firstLanes(v128.load(x + i), splat(0), tail));
    const mean = sumLanes(sum) / <f32>d;
    const mu = splat(mean);
    // Far from zero the mean is only as exact as such a number can be: what is left of it is taken off as well.
    let left = splat(0);
    let squares = left;
    for (i = 0; i < end; i += 16) {
      const off = f32x4.sub(v128.load(x + i), mu);
      left = f32x4.add(left, off);
      squares = madd(off, off, squares);
    }
    if (tail) {
      const off = firstLanes(f32x4.sub(v128.load(x + i), mu), splat(0), tail);
      left = f32x4.add(left, off);
      squares = madd(off, off, squares);
    }
    const rest = sumLanes(left) / <f32>d;
    const total = sumLanes(squares);
    const variance = max<f32>(total / <f32>d - rest * rest, 0);
    const rstd: f32 = total < f32.MAX_VALUE ? 1 / sqrt<f32>(variance + layerNorm.eps()) : f32.NaN;
    const r = splat(rstd);
    const nu = splat(rest);
    normalise(x, y, d, mu, nu, r, layerNorm.scale(), layerNorm.shift());
    store<f32>(layerNorm.mean() + (<usize>row << 2), mean + rest);
    store<f32>(layerNorm.rstd() + (<usize>row << 2), rstd);
  }
}

/** y = (x − mu − nu) r · gamma + beta. */
function normalise(x: usize, y: usize, n: i32, mu: v128, nu: v128, r: v128, gamma: usize, beta: usize): void {
  for (; n >= 8; n -= 8, x += 32, y += 32, gamma += 32, beta += 32) {
    const norm = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x), mu), nu), r);
    const norm2 = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x, 16), mu), nu), r);
    const first = madd(norm, v128.load(gamma), v128.load(beta));
    storePair(y, first, madd(norm2, v128.load(gamma, 16), v128.load(beta, 16)));
  }
  for (; n > 0; n -= 4, x += 16, y += 16, gamma += 16, beta += 16) {
    const norm = f32x4.mul(f32x4.sub(f32x4.sub(v128.load(x), mu), nu), r);
    storeUpToFour(y, madd(norm, v128.load(gamma), v128.load(beta)), n);
  }
}

/** dx = (ĝ − mean(ĝ) − x̂ mean(ĝ x̂)) / σ with ĝ = g · scale: see the readable kernel in ../../js/layerNorm.ts. */
export function layerNormBackwardTask(task: i32): void {
  const d = layerNormBackward.d();
  const last = min(layerNormBackward.rows(), (task + 1) * layerNormBackward.rowsPerTask());
  const tail = d & 3;
  const end = <usize>(d - tail) << 2;
  const gamma = layerNormBackward.scale();
  for (let row = task * layerNormBackward.rowsPerTask(); row < last; row++) {
    const at = (<usize>row * d) << 2;
    const x = layerNormBackward.x() + at;
    const g = layerNormBackward.g() + at;
    const dx = layerNormBackward.dx() + at;
    const mu = v128.load32_splat(layerNormBackward.mean() + (<usize>row << 2));
    const r = v128.load32_splat(layerNormBackward.rstd() + (<usize>row << 2));
    let sum = splat(0);
    let dot = splat(0);
    let i: usize = 0;
    for (; i < end; i += 16) {
      const gHat = f32x4.mul(v128.load(g + i), v128.load(gamma + i));
      sum = f32x4.add(sum, gHat);
      dot = madd(gHat, f32x4.mul(f32x4.sub(v128.load(x + i), mu), r), dot);
    }
    if (tail) {
      const gHat = firstLanes(f32x4.mul(v128.load(g + i), v128.load(gamma + i)), splat(0), tail);
      const xHat = firstLanes(f32x4.mul(f32x4.sub(v128.load(x + i), mu), r), splat(0), tail);
      sum = f32x4.add(sum, gHat);
      dot = madd(gHat, xHat, dot);
    }
    const meanG = splat(sumLanes(sum) / <f32>d);
    const meanDot = splat(sumLanes(dot) / <f32>d);
    storeGradients(x, g, gamma, dx, d, mu, r, meanG, meanDot);
  }
}

// @ts-ignore: decorator
@inline
function gradient(x: v128, g: v128, gamma: v128, mu: v128, r: v128, meanG: v128, meanDot: v128): v128 {
  const xHat = f32x4.mul(f32x4.sub(x, mu), r);
  return f32x4.mul(r, f32x4.sub(f32x4.sub(f32x4.mul(g, gamma), meanG), f32x4.mul(xHat, meanDot)));
}

function storeGradients(
  x: usize, g: usize, gamma: usize, dx: usize, n: i32, mu: v128, r: v128, meanG: v128, meanDot: v128,
): void {
  for (; n >= 8; n -= 8, x += 32, g += 32, gamma += 32, dx += 32) {
    const first = gradient(v128.load(x), v128.load(g), v128.load(gamma), mu, r, meanG, meanDot);
    storePair(dx, first, gradient(v128.load(x, 16), v128.load(g, 16), v128.load(gamma, 16), mu, r, meanG, meanDot));
  }
  for (; n > 0; n -= 4, x += 16, g += 16, gamma += 16, dx += 16) {
    storeUpToFour(dx, gradient(v128.load(x), v128.load(g), v128.load(gamma), mu, r, meanG, meanDot), n);
  }
}

/** dscale = Σ g x̂ and dshift = Σ g over the rows, for some of the columns: summed in one order by one thread. */
export function layerNormParametersTask(task: i32): void {
  const rows = layerNormParameters.rows();
  const d = layerNormParameters.d();
  const first = task * layerNormParameters.columnsPerTask();
  const last = min(d, first + layerNormParameters.columnsPerTask());
  for (let column = first; column < last; column += 4) {
    let at = <usize>column << 2;
    const count = last - column;
    let dscale0 = f64x2.splat(0);
    let dscale1 = dscale0;
    let dshift0 = dscale0;
    let dshift1 = dscale0;
    for (let row = 0; row < rows; row++) {
      const mu = v128.load32_splat(layerNormParameters.mean() + (<usize>row << 2));
      const r = v128.load32_splat(layerNormParameters.rstd() + (<usize>row << 2));
      const g = v128.load(layerNormParameters.g() + at);
      const xHat = f32x4.mul(f32x4.sub(v128.load(layerNormParameters.x() + at), mu), r);
      const product = f32x4.mul(g, xHat);
      dscale0 = f64x2.add(dscale0, f64x2.promote_low_f32x4(product));
      dscale1 = f64x2.add(dscale1, f64x2.promote_low_f32x4(high(product)));
      dshift0 = f64x2.add(dshift0, f64x2.promote_low_f32x4(g));
      dshift1 = f64x2.add(dshift1, f64x2.promote_low_f32x4(high(g)));
      at += <usize>d << 2;
    }
    storeSums(layerNormParameters.dscale() + (<usize>column << 2), dscale0, dscale1, count);
    storeSums(layerNormParameters.dshift() + (<usize>column << 2), dshift0, dshift1, count);
  }
}
