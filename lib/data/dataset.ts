/** Examples by position. */
export abstract class Dataset<T = unknown> {
  /** How many there are. */
  abstract readonly length: number;
  /** The example at a position, from 0. */
  abstract get(position: number): T;
}
