import { argF, argI, argP } from './job';
import { firstLanes, storeLanes } from './rows';
import { madd, splat, sumLanes } from './simd';

/**
 * Layer norm over rows of d numbers (Ba, Kiros & Hinton 2016). Arguments: 0 rows in a task, 1 rows, 2 d, 3 x,
 * 4 scale, 5 shift (backward: g), 6 y (backward: dx), 7 mean, 8 1/σ, 9 eps; backward: 10 dscale, 11 dshift, 12 columns
 * in a task.
 */
export function layerNormTask(task: i32): void {
  const d = argI(2);
  const last = min(argI(1), (task + 1) * argI(0));
  const tail = d & 3;
  const whole = d - tail;
  for (let row = task * argI(0); row < last; row++) {
    const x = argP(3) + ((<usize>row * d) << 2);
    const y = argP(6) + ((<usize>row * d) << 2);
    let sum = splat(0);
    let i: usize = 0;
    const end = <usize>whole << 2;
    for (; i < end; i += 16) sum = f32x4.add(sum, v128.load(x + i));
    if (tail) sum = f32x4.add(sum, firstLanes(v128.load(x + i), splat(0), tail));
    const mean = sumLanes(sum) / <f32>d;
    const mu = splat(mean);
    let squares = splat(0);
    for (i = 0; i < end; i += 16) {
      const off = f32x4.sub(v128.load(x + i), mu);
      squares = madd(off, off, squares);
    }
    if (tail) {
      const off = firstLanes(f32x4.sub(v128.load(x + i), mu), splat(0), tail);
      squares = madd(off, off, squares);
    }
    const rstd: f32 = 1 / sqrt<f32>(sumLanes(squares) / <f32>d + argF(9));
    const r = splat(rstd);
    const gamma = argP(4);
    const beta = argP(5);
    for (i = 0; i < end; i += 16) {
      const norm = f32x4.mul(f32x4.sub(v128.load(x + i), mu), r);
      v128.store(y + i, madd(norm, v128.load(gamma + i), v128.load(beta + i)));
    }
    if (tail) {
      const norm = f32x4.mul(f32x4.sub(v128.load(x + i), mu), r);
      storeLanes(y + i, madd(norm, v128.load(gamma + i), v128.load(beta + i)), tail);
    }
    store<f32>(argP(7) + (<usize>row << 2), mean);
    store<f32>(argP(8) + (<usize>row << 2), rstd);
  }
}

/** dx = (ĝ − mean(ĝ) − x̂ mean(ĝ x̂)) / σ with ĝ = g · scale: see the readable kernel in ../../js/layerNorm.ts. */
export function layerNormBackwardTask(task: i32): void {
  const d = argI(2);
  const last = min(argI(1), (task + 1) * argI(0));
  const tail = d & 3;
  const end = <usize>(d - tail) << 2;
  const gamma = argP(4);
  for (let row = task * argI(0); row < last; row++) {
    const at = (<usize>row * d) << 2;
    const x = argP(3) + at;
    const g = argP(5) + at;
    const dx = argP(6) + at;
    const mu = v128.load32_splat(argP(7) + (<usize>row << 2));
    const r = v128.load32_splat(argP(8) + (<usize>row << 2));
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
    for (i = 0; i <= end; i += 16) {
      const xHat = f32x4.mul(f32x4.sub(v128.load(x + i), mu), r);
      const gHat = f32x4.mul(v128.load(g + i), v128.load(gamma + i));
      const value = f32x4.mul(r, f32x4.sub(f32x4.sub(gHat, meanG), f32x4.mul(xHat, meanDot)));
      if (i < end) v128.store(dx + i, value);
      else if (tail) storeLanes(dx + i, value, tail);
    }
  }
}

/** dscale = Σ g x̂ and dshift = Σ g over the rows, for some of the columns: summed in one order by one thread. */
export function layerNormParametersTask(task: i32): void {
  const rows = argI(1);
  const d = argI(2);
  const first = task * argI(12);
  const last = min(d, first + argI(12));
  for (let column = first; column < last; column += 4) {
    let at = <usize>column << 2;
    const count = last - column;
    let dscale0 = f64x2.splat(0);
    let dscale1 = dscale0;
    let dshift0 = dscale0;
    let dshift1 = dscale0;
    for (let row = 0; row < rows; row++) {
      const mu = v128.load32_splat(argP(7) + (<usize>row << 2));
      const r = v128.load32_splat(argP(8) + (<usize>row << 2));
      const g = v128.load(argP(5) + at);
      const xHat = f32x4.mul(f32x4.sub(v128.load(argP(3) + at), mu), r);
      const product = f32x4.mul(g, xHat);
      dscale0 = f64x2.add(dscale0, f64x2.promote_low_f32x4(product));
      dscale1 = f64x2.add(dscale1, f64x2.promote_low_f32x4(high(product)));
      dshift0 = f64x2.add(dshift0, f64x2.promote_low_f32x4(g));
      dshift1 = f64x2.add(dshift1, f64x2.promote_low_f32x4(high(g)));
      at += <usize>d << 2;
    }
    storeSums(argP(10) + (<usize>column << 2), dscale0, dscale1, count);
    storeSums(argP(11) + (<usize>column << 2), dshift0, dshift1, count);
  }
}

/** The upper two lanes, moved down. */
// @ts-ignore: decorator
@inline
export function high(v: v128): v128 {
  return v128.shuffle<f64>(v, v, 1, 1);
}

/** Four doubles as floats, or the first `count` of them. */
// @ts-ignore: decorator
@inline
export function storeSums(to: usize, low: v128, upper: v128, count: i32): void {
  const value = v128.shuffle<f64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(upper), 0, 2);
  if (count >= 4) v128.store(to, value);
  else storeLanes(to, value, count);
}
