import { useScratchOf } from './job';
import { REGION } from './protocol';
import { runTask } from './tasks';

/**
 * Threads that share this memory. A job is a kernel's number, its arguments, and a count of tasks; every thread
 * takes the next task until none is left. Which thread takes which task changes from run to run, so a task must
 * write what no other task touches, and compute it in an order that does not depend on the others: then the
 * result is the same bit for bit with any number of threads.
 */

/** What the threads share lies at fixed addresses, each word that is fought over on a cache line of its own. */
const TICKETS: usize = REGION + 64; // i64: count of tasks << 32 | next task
const DONE: usize = REGION + 128; // i32: tasks finished
const SIGNAL: usize = REGION + 192; // i32: grows with every job, what idle threads sleep on
const SLEEPING: usize = REGION + 196; // i32: threads asleep
const THREADS: usize = REGION + 200; // i32: threads that may work, the caller among them; what those beyond sleep on
const KIND: usize = REGION + 204; // i32: the kernel

/** A thread without work looks this often for more before it goes to sleep: a few tenths of a millisecond. */
const LOOKS: i32 = 100000;

/** Takes tasks of the current job until none is left. A ticket taken after the end is refused and does no harm. */
function takeTasks(): void {
  while (true) {
    const seen = atomic.load<i64>(TICKETS);
    if (<i32>seen >= <i32>(seen >> 32)) return;
    const ticket = atomic.add<i64>(TICKETS, 1);
    const task = <i32>ticket;
    const tasks = <i32>(ticket >> 32);
    if (task >= tasks) return;
    // The job cannot end before this task does, so its arguments stay as they are.
    runTask(load<i32>(KIND), task);
    if (atomic.add<i32>(DONE, 1) == tasks - 1) atomic.notify(DONE, 1);
  }
}

/** Runs tasks 0 … tasks−1 of a kernel, on all threads or on this one only, and returns when all are done. */
export function run(kind: i32, tasks: i32, threaded: bool): void {
  if (!threaded || tasks == 1) {
    for (let task = 0; task < tasks; task++) runTask(kind, task);
    return;
  }
  store<i32>(KIND, kind);
  atomic.store<i32>(DONE, 0);
  atomic.store<i64>(TICKETS, (<i64>tasks) << 32);
  atomic.add<i32>(SIGNAL, 1);
  if (atomic.load<i32>(SLEEPING) > 0) atomic.notify(SIGNAL, -1);
  takeTasks();
  let looks = 0;
  while (true) {
    const done = atomic.load<i32>(DONE);
    if (done == tasks) return;
    if (++looks > LOOKS) atomic.wait<i32>(DONE, done, 1000000);
  }
}

/** What a helping thread does for ever: it ends with the process, or with the page. */
export function work(id: i32): void {
  useScratchOf(id);
  let looks = 0;
  while (true) {
    const threads = atomic.load<i32>(THREADS);
    if (id >= threads) {
      atomic.wait<i32>(THREADS, threads, -1);
      continue;
    }
    const signal = atomic.load<i32>(SIGNAL);
    const seen = atomic.load<i64>(TICKETS);
    if (<i32>seen < <i32>(seen >> 32)) {
      takeTasks();
      looks = 0;
    } else if (++looks > LOOKS) {
      atomic.add<i32>(SLEEPING, 1);
      atomic.wait<i32>(SIGNAL, signal, -1);
      atomic.sub<i32>(SLEEPING, 1);
      looks = 0;
    }
  }
}

/**
 * How many threads may work from the next job on. One that looks for work at this moment may still take a task of it:
 * every thread that runs has scratch memory, whether or not it may work.
 */
export function allow(threads: i32): void {
  atomic.store<i32>(THREADS, threads);
  atomic.notify(THREADS, -1);
}
