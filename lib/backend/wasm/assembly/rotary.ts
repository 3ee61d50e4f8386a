import { elementwise } from './protocol';
import { rowOffset, storePair, storeUpToFour } from './rows';
import { splat } from './simd';

/**
 * Rotary position embedding, an elementwise job whose rows are the first halves of x's: `op` 1 turns back. The readable
 * kernel is in ../../js/rotary.ts.
 */
export function rotaryTask(task: i32): void {
  const n = elementwise.length();
  const half = <usize>n << 2;
  const turn = splat(elementwise.op() == 0 ? 1 : -1);
  const last = min(elementwise.rows(), (task + 1) * elementwise.rowsPerTask());
  for (let row = task * elementwise.rowsPerTask(); row < last; row++) {
    let x = elementwise.operands(0) + rowOffset(row, 0);
    let cos = elementwise.operands(1) + rowOffset(row, 1);
    let sin = elementwise.operands(2) + rowOffset(row, 2);
    let y = elementwise.out() + <usize>row * 2 * half;
    let left = n;
    for (; left >= 8; left -= 8, x += 32, cos += 32, sin += 32, y += 32) {
      const a = v128.load(x);
      const a2 = v128.load(x, 16);
      const b = v128.load(x + half);
      const b2 = v128.load(x + half, 16);
      const c = v128.load(cos);
      const c2 = v128.load(cos, 16);
      const s = f32x4.mul(turn, v128.load(sin));
      const s2 = f32x4.mul(turn, v128.load(sin, 16));
      storePair(y, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)), f32x4.sub(f32x4.mul(a2, c2), f32x4.mul(b2, s2)));
      storePair(y + half, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)), f32x4.add(f32x4.mul(b2, c2), f32x4.mul(a2, s2)));
    }
    for (; left > 0; left -= 4, x += 16, cos += 16, sin += 16, y += 16) {
      const a = v128.load(x);
      const b = v128.load(x + half);
      const c = v128.load(cos);
      const s = f32x4.mul(turn, v128.load(sin));
      storeUpToFour(y, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)), left);
      storeUpToFour(y + half, f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s)), left);
    }
  }
}
