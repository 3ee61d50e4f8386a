import { elementwise } from './protocol';
import { rowOffset, storeLanes } from './rows';
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
    for (let left = n; left > 0; left -= 4, x += 16, cos += 16, sin += 16, y += 16) {
      const a = v128.load(x);
      const b = v128.load(x + half);
      const c = v128.load(cos);
      const s = f32x4.mul(turn, v128.load(sin));
      const first = f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s));
      const second = f32x4.add(f32x4.mul(b, c), f32x4.mul(a, s));
      if (left >= 4) {
        v128.store(y, first);
        v128.store(y + half, second);
      } else {
        storeLanes(y, first, left);
        storeLanes(y + half, second, left);
      }
    }
  }
}
