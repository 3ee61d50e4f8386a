/** A sign of life: a line with the seconds that a step has taken so far. */

/** Shows `text` and a beating clock until the work is done. @returns what the work returns */
export async function withClock<T>(place: HTMLElement, text: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  let shown = '';
  const show = () => {
    // Whoever has written there meanwhile knows more.
    if (shown !== '' && place.textContent !== shown) return;
    const seconds = Math.floor((performance.now() - start) / 1000);
    shown = seconds === 0 ? `${text} …` : `${text} … ${seconds} s`;
    place.textContent = shown;
  };
  show();
  const timer = setInterval(show, 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (place.textContent === shown) place.textContent = '';
  }
}
