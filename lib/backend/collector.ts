/** How to have garbage collected, so that the memory of tensors that nobody has any more can be taken back. */
export interface Collector {
  /** Does that work in the middle of running code? If not, the caller returns to the event loop after `collect`. */
  readonly withinJob: boolean;
  /** `thoroughly`: at several times the cost, where the usual way has freed too little. */
  collect(thoroughly?: boolean): void;
}
