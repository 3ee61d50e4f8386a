/** Examples by position. */
export abstract class Dataset<T = unknown> {
  abstract readonly length: number;
  abstract get(position: number): T;
}
