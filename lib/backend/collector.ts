/** How to have garbage collected, so that the memory of tensors that nobody has any more can be taken back. */
export interface Collector {
  /** Does that work in the middle of running code? If not, the caller returns to the event loop after `collect`. */
  readonly withinJob: boolean;
  /** `thoroughly`: at several times the cost, where the usual way has freed too little. */
  collect(thoroughly?: boolean): void;
  /**
   * Collects only what was made lately, at a fraction of the cost: of a training step's tensors nearly all that have died. False
   * where the runtime would forget no WeakRef's target with that.
   */
  collectYoung?(): boolean;
}
